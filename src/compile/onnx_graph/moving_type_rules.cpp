#include <algorithm>
#include <string>

#include "compile/onnx_graph/type_rules.hpp"

namespace slipway::compile::onnx_graph::type_rules {

Types transpose(const Facts& facts) {
  const ValueType type = facts.type(0);
  if (!type.shape) return {type};
  const auto permutation = facts.node.integers("perm");
  if (!permutation) return {{type.element_type, Shape(type.shape->rbegin(), type.shape->rend())}};
  Shape shape;
  for (const std::int64_t axis : *permutation) {
    const auto at = place(axis, type.shape->size());
    if (!at) return {{type.element_type, std::nullopt}};
    shape.push_back((*type.shape)[*at]);
  }
  return {{type.element_type, shape}};
}

Types concat(const Facts& facts) {
  ValueType type = facts.type(0);
  const auto at = type.shape ? place(facts.node.integer("axis").value_or(0), type.shape->size()) : std::nullopt;
  if (!at) return {{type.element_type, std::nullopt}};
  for (std::size_t i = 1; i < facts.node.inputs().size(); ++i) {
    const KnownShape other = facts.shape(i);
    if (!other || other->size() != type.shape->size()) return {{type.element_type, std::nullopt}};
    std::int64_t& size = (*type.shape)[*at];
    size = size < 0 || (*other)[*at] < 0 ? kOpen : size + (*other)[*at];
  }
  return {type};
}

Types reshape(const Facts& facts) {
  const ValueType type = facts.type(0);
  auto wanted = facts.integers(1);
  if (!wanted) return {{type.element_type, open_of_rank(facts.shape(1))}};
  const bool allowzero = facts.node.integer("allowzero").value_or(0) != 0;
  std::optional<std::size_t> open;
  for (std::size_t i = 0; i < wanted->size(); ++i) {
    if ((*wanted)[i] == 0 && !allowzero) {
      (*wanted)[i] = type.shape && i < type.shape->size() ? (*type.shape)[i] : kOpen;
    } else if ((*wanted)[i] < 0) {
      open = i;
    }
  }
  if (open && type.shape) {
    Integers others = *wanted;
    others.erase(others.begin() + static_cast<std::ptrdiff_t>(*open));
    const auto all = product(*type.shape);
    const auto rest = product(others);
    if (all && rest && *rest > 0) (*wanted)[*open] = *all / *rest;
  }
  return {{type.element_type, *wanted}};
}

Types flatten(const Facts& facts) {
  const ValueType type = facts.type(0);
  if (!type.shape) return {{type.element_type, Shape{kOpen, kOpen}}};
  std::int64_t axis = facts.node.integer("axis").value_or(1);
  const auto rank = static_cast<std::int64_t>(type.shape->size());
  if (axis < 0) axis += rank;
  if (axis < 0 || axis > rank) return {{type.element_type, std::nullopt}};
  const std::span<const std::int64_t> sizes(*type.shape);
  const auto before = product(sizes.first(static_cast<std::size_t>(axis)));
  const auto after = product(sizes.subspan(static_cast<std::size_t>(axis)));
  return {{type.element_type, Shape{before.value_or(kOpen), after.value_or(kOpen)}}};
}

Types unsqueeze(const Facts& facts) {
  const ValueType type = facts.type(0);
  const auto axes = facts.axes(1);
  if (!type.shape || !axes) return {{type.element_type, std::nullopt}};
  const std::size_t rank = type.shape->size() + axes->size();
  std::vector<bool> is_new(rank, false);
  if (!mark(*axes, is_new)) return {{type.element_type, std::nullopt}};
  Shape shape;
  auto next = type.shape->begin();
  for (std::size_t i = 0; i < rank; ++i) {
    if (!is_new[i] && next == type.shape->end()) return {{type.element_type, std::nullopt}};
    shape.push_back(is_new[i] ? 1 : *next++);
  }
  return {{type.element_type, shape}};
}

Types squeeze(const Facts& facts) {
  const ValueType type = facts.type(0);
  const bool has_axes = facts.node.has_attribute("axes") || facts.node.input(1) != nullptr;
  const auto axes = facts.axes(1);
  if (!type.shape || (has_axes && !axes)) return {{type.element_type, std::nullopt}};
  std::vector<bool> goes(type.shape->size(), false);
  for (std::size_t i = 0; !has_axes && i < goes.size(); ++i) {
    if ((*type.shape)[i] < 0) return {{type.element_type, std::nullopt}};
    goes[i] = (*type.shape)[i] == 1;
  }
  if (has_axes && !mark(*axes, goes)) return {{type.element_type, std::nullopt}};
  Shape shape;
  for (std::size_t i = 0; i < goes.size(); ++i) {
    if (!goes[i]) shape.push_back((*type.shape)[i]);
  }
  return {{type.element_type, shape}};
}

Types gather(const Facts& facts) {
  const ValueType type = facts.type(0);
  const KnownShape indices = facts.shape(1);
  const auto at = type.shape ? place(facts.node.integer("axis").value_or(0), type.shape->size()) : std::nullopt;
  if (!at || !indices) return {{type.element_type, std::nullopt}};
  const auto middle = static_cast<std::ptrdiff_t>(*at);
  Shape shape(type.shape->begin(), type.shape->begin() + middle);
  shape.insert(shape.end(), indices->begin(), indices->end());
  shape.insert(shape.end(), type.shape->begin() + middle + 1, type.shape->end());
  return {{type.element_type, shape}};
}

Types gather_elements(const Facts& facts) {
  return {{facts.type(0).element_type, facts.shape(1)}};
}

Types gather_nd(const Facts& facts) {
  const ValueType type = facts.type(0);
  const KnownShape indices = facts.shape(1);
  const auto batch = static_cast<std::size_t>(facts.node.integer("batch_dims").value_or(0));
  if (!type.shape || !indices || indices->empty() || indices->back() < 0) return {{type.element_type, std::nullopt}};
  const std::size_t indexed = batch + static_cast<std::size_t>(indices->back());
  if (indexed > type.shape->size()) return {{type.element_type, std::nullopt}};
  Shape shape(indices->begin(), indices->end() - 1);
  shape.insert(shape.end(), type.shape->begin() + static_cast<std::ptrdiff_t>(indexed), type.shape->end());
  return {{type.element_type, shape}};
}

Types slice(const Facts& facts) {
  const ValueType type = facts.type(0);
  if (!type.shape) return {type};
  const bool is_old = facts.node.has_attribute("starts");
  const auto starts = is_old ? facts.node.integers("starts") : facts.integers(1);
  const auto ends = is_old ? facts.node.integers("ends") : facts.integers(2);
  auto axes = is_old ? facts.node.integers("axes") : facts.integers(3);
  auto steps = facts.integers(4);
  const bool has_unknown_axes = !is_old && facts.node.input(3) != nullptr && !axes;
  const bool has_unknown_steps = facts.node.input(4) != nullptr && !steps;
  Shape shape = *type.shape;
  if (has_unknown_axes) return {{type.element_type, Shape(shape.size(), kOpen)}};
  if (!starts || !ends || has_unknown_steps) {
    if (!axes) return {{type.element_type, Shape(shape.size(), kOpen)}};
    for (const std::int64_t axis : *axes) {
      if (const auto at = place(axis, shape.size())) shape[*at] = kOpen;
    }
    return {{type.element_type, shape}};
  }
  for (std::size_t i = 0; i < starts->size() && i < ends->size(); ++i) {
    const auto at = place(axes && i < axes->size() ? (*axes)[i] : static_cast<std::int64_t>(i), shape.size());
    const std::int64_t step = steps && i < steps->size() ? (*steps)[i] : 1;
    if (!at || step == 0) return {{type.element_type, Shape(shape.size(), kOpen)}};
    const std::int64_t size = shape[*at];
    if (size < 0) continue;
    const auto from_end = [&](std::int64_t index) { return index < 0 ? index + size : index; };
    const std::int64_t low = step > 0 ? 0 : -1, high = step > 0 ? size : size - 1;
    const std::int64_t begin = std::clamp(from_end((*starts)[i]), std::int64_t{0}, step > 0 ? size : size - 1);
    const std::int64_t end = std::clamp(from_end((*ends)[i]), low, high);
    const std::int64_t distance = step > 0 ? end - begin : begin - end;
    const std::int64_t stride = step > 0 ? step : -step;
    shape[*at] = distance <= 0 ? 0 : (distance + stride - 1) / stride;
  }
  return {{type.element_type, shape}};
}

Types expand(const Facts& facts) {
  const auto wanted = facts.integers(1);
  return {{facts.type(0).element_type, wanted ? broadcast(facts.shape(0), KnownShape(*wanted)) : std::nullopt}};
}

Types pad(const Facts& facts) {
  ValueType type = facts.type(0);
  const auto attribute = facts.node.integers("pads");
  const auto pads = attribute ? attribute : facts.integers(1);
  if (!type.shape) return {type};
  const std::size_t rank = type.shape->size();
  const bool is_known = pads && pads->size() == 2 * rank && facts.node.input(3) == nullptr;
  for (std::size_t i = 0; i < rank; ++i) {
    std::int64_t& size = (*type.shape)[i];
    size = is_known && size >= 0 ? size + (*pads)[i] + (*pads)[i + rank] : kOpen;
  }
  return {type};
}

Types split(const Facts& facts) {
  Types types(facts.node.outputs().size(), facts.type(0));
  const KnownShape shape = facts.shape(0);
  const auto at = shape ? place(facts.node.integer("axis").value_or(0), shape->size()) : std::nullopt;
  const auto attribute = facts.node.integers("split");
  const bool has_sizes = attribute || facts.node.input(1) != nullptr;
  const auto sizes = attribute ? attribute : facts.integers(1);
  for (std::size_t i = 0; i < types.size(); ++i) {
    if (!at) {
      types[i].shape.reset();
      continue;
    }
    std::int64_t& size = (*types[i].shape)[*at];
    if (has_sizes) {
      size = sizes && i < sizes->size() ? (*sizes)[i] : kOpen;
    } else if (size >= 0) {
      const auto count = static_cast<std::int64_t>(types.size()), part = (size + count - 1) / count;
      size = std::clamp<std::int64_t>(size - part * static_cast<std::int64_t>(i), 0, part);
    }
  }
  return types;
}

Types tile(const Facts& facts) {
  ValueType type = facts.type(0);
  const auto repeats = facts.integers(1);
  for (std::size_t i = 0; type.shape && i < type.shape->size(); ++i) {
    std::int64_t& size = (*type.shape)[i];
    size = repeats && i < repeats->size() && size >= 0 ? size * (*repeats)[i] : kOpen;
  }
  return {type};
}

Types depth_to_space(const Facts& facts) {
  ValueType type = facts.type(0);
  const std::int64_t block = facts.node.integer("blocksize").value_or(0);
  if (!type.shape || type.shape->size() != 4 || block < 1) return {{type.element_type, std::nullopt}};
  const auto scaled = [&](std::int64_t size) { return size < 0 ? kOpen : size * block; };
  const std::int64_t channels = (*type.shape)[1];
  return {{type.element_type, Shape{(*type.shape)[0], channels < 0 ? kOpen : channels / (block * block),
                                    scaled((*type.shape)[2]), scaled((*type.shape)[3])}}};
}

Types moved(const Facts& facts) {
  return {{facts.type(0).element_type, std::nullopt}};
}

}  // namespace slipway::compile::onnx_graph::type_rules
