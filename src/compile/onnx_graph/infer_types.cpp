#include "compile/onnx_graph/infer_types.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "compile/onnx_graph/element_type.hpp"

namespace slipway::compile::onnx_graph {
namespace {

using tensor::Dtype;
using tensor::Shape;
using Integers = std::vector<std::int64_t>;
using KnownShape = std::optional<Shape>;

constexpr std::int64_t kOpen = -1;
/// Longer ones are data, not sizes.
constexpr std::size_t kMostIntegers = 64;

std::optional<int> number(Dtype dtype) {
  return element_type_of_dtype(dtype);
}

/// A node with what is known of its inputs.
struct Facts {
  const InferredTypes& inferred;
  const Node& node;

  [[nodiscard]] ValueType type(std::size_t i) const {
    const Value* const value = node.input(i);
    return value == nullptr ? ValueType{} : inferred.type(*value);
  }
  [[nodiscard]] KnownShape shape(std::size_t i) const { return type(i).shape; }
  [[nodiscard]] std::optional<Integers> integers(std::size_t i) const {
    const Value* const value = node.input(i);
    return value == nullptr ? std::nullopt : inferred.integers(*value);
  }
  /// An axis list, which is an attribute in older operator sets and an input in newer ones.
  [[nodiscard]] std::optional<Integers> axes(std::size_t i) const {
    if (const auto attribute = node.integers("axes")) return attribute;
    return integers(i);
  }
};

/// A place in a shape for an axis that may count from the end; nothing when it lies outside.
std::optional<std::size_t> place(std::int64_t axis, std::size_t rank) {
  if (axis < 0) axis += static_cast<std::int64_t>(rank);
  return axis >= 0 && axis < static_cast<std::int64_t>(rank) ? std::optional(static_cast<std::size_t>(axis))
                                                             : std::nullopt;
}

KnownShape broadcast(const KnownShape& a, const KnownShape& b) {
  if (!a || !b) return std::nullopt;
  Shape result(std::max(a->size(), b->size()));
  for (std::size_t i = 0; i < result.size(); ++i) {
    const std::int64_t x = i < a->size() ? (*a)[a->size() - 1 - i] : 1;
    const std::int64_t y = i < b->size() ? (*b)[b->size() - 1 - i] : 1;
    std::int64_t& size = result[result.size() - 1 - i];
    if (x == 1) {
      size = y;
    } else if (y == 1 || x == y) {
      size = x;
    } else if (x < 0 || y < 0) {
      size = std::max(x, y);  // the open one is 1 or the same
    } else {
      return std::nullopt;
    }
  }
  return result;
}

KnownShape broadcast_all(const Facts& facts, std::size_t first = 0) {
  KnownShape shape = facts.shape(first);
  for (std::size_t i = first + 1; i < facts.node.inputs().size(); ++i) shape = broadcast(shape, facts.shape(i));
  return shape;
}

std::optional<std::int64_t> product(std::span<const std::int64_t> sizes) {
  return tensor::element_count(Shape(sizes.begin(), sizes.end()));
}

// Rules. Each gives the types of all outputs, as far as they are known.
// ------------------------------------------------

using Types = std::vector<ValueType>;
using Rule = Types (*)(const Facts&);

Types same(const Facts& facts) {
  return {facts.type(0)};
}
Types same_for_first(const Facts& facts) {
  Types types(facts.node.outputs().size());
  if (!types.empty()) types[0] = facts.type(0);
  return types;
}
Types elementwise(const Facts& facts) {
  return {{facts.type(0).element_type, broadcast_all(facts)}};
}
Types comparison(const Facts& facts) {
  return {{number(Dtype::kBool), broadcast_all(facts)}};
}
Types test(const Facts& facts) {
  return {{number(Dtype::kBool), facts.shape(0)}};
}
Types where(const Facts& facts) {
  return {{facts.type(1).element_type, broadcast_all(facts)}};
}
Types cast(const Facts& facts) {
  const auto to = facts.node.integer("to");
  return {{to ? std::optional(static_cast<int>(*to)) : std::nullopt, facts.shape(0)}};
}
Types shape_of(const Facts& facts) {
  const KnownShape shape = facts.shape(0);
  const bool is_part = facts.node.has_attribute("start") || facts.node.has_attribute("end");
  return {{number(Dtype::kInt64), Shape{shape && !is_part ? static_cast<std::int64_t>(shape->size()) : kOpen}}};
}
Types size_of(const Facts&) {
  return {{number(Dtype::kInt64), Shape{}}};
}
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
  if (!wanted) {
    const KnownShape list = facts.shape(1);
    const bool has_rank = list && list->size() == 1 && (*list)[0] >= 0;
    return {
        {type.element_type, has_rank ? KnownShape(Shape(static_cast<std::size_t>((*list)[0]), kOpen)) : std::nullopt}};
  }
  const bool keeps_zeros = facts.node.integer("allowzero").value_or(0) != 0;
  std::optional<std::size_t> open;
  for (std::size_t i = 0; i < wanted->size(); ++i) {
    if ((*wanted)[i] == 0 && !keeps_zeros) {
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
  for (const std::int64_t axis : *axes) {
    const auto at = place(axis, rank);
    if (!at) return {{type.element_type, std::nullopt}};
    is_new[*at] = true;
  }
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
  for (std::size_t i = 0; has_axes && i < axes->size(); ++i) {
    const auto at = place((*axes)[i], goes.size());
    if (!at) return {{type.element_type, std::nullopt}};
    goes[*at] = true;
  }
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
Types range(const Facts& facts) {
  const auto start = facts.integers(0), limit = facts.integers(1), step = facts.integers(2);
  std::int64_t size = kOpen;
  if (start && limit && step && start->size() == 1 && limit->size() == 1 && step->size() == 1 && step->front() != 0) {
    const std::int64_t distance = step->front() > 0 ? limit->front() - start->front() : start->front() - limit->front();
    const std::int64_t stride = step->front() > 0 ? step->front() : -step->front();
    size = std::max<std::int64_t>(0, (distance + stride - 1) / stride);
  }
  return {{facts.type(0).element_type, Shape{size}}};
}
Types expand(const Facts& facts) {
  const auto wanted = facts.integers(1);
  return {{facts.type(0).element_type, wanted ? broadcast(facts.shape(0), KnownShape(*wanted)) : std::nullopt}};
}
Types reduce(const Facts& facts) {
  const ValueType type = facts.type(0);
  const bool keeps = facts.node.integer("keepdims").value_or(1) != 0;
  const bool has_axes = facts.node.has_attribute("axes") || facts.node.input(1) != nullptr;
  const auto axes = facts.axes(1);
  if (!type.shape || (has_axes && !axes)) return {{type.element_type, std::nullopt}};
  if (!has_axes && facts.node.integer("noop_with_empty_axes").value_or(0) != 0) return {type};
  std::vector<bool> goes(type.shape->size(), !has_axes || axes->empty());
  for (std::size_t i = 0; has_axes && i < axes->size(); ++i) {
    const auto at = place((*axes)[i], goes.size());
    if (!at) return {{type.element_type, std::nullopt}};
    goes[*at] = true;
  }
  Shape shape;
  for (std::size_t i = 0; i < goes.size(); ++i) {
    if (!goes[i]) shape.push_back((*type.shape)[i]);
    if (goes[i] && keeps) shape.push_back(1);
  }
  return {{type.element_type, shape}};
}
Types arg_extreme(const Facts& facts) {
  KnownShape shape = facts.shape(0);
  const auto at = shape ? place(facts.node.integer("axis").value_or(0), shape->size()) : std::nullopt;
  if (!at) return {{number(Dtype::kInt64), std::nullopt}};
  if (facts.node.integer("keepdims").value_or(1) != 0) {
    (*shape)[*at] = 1;
  } else {
    shape->erase(shape->begin() + static_cast<std::ptrdiff_t>(*at));
  }
  return {{number(Dtype::kInt64), shape}};
}
Types top_k(const Facts& facts) {
  KnownShape shape = facts.shape(0);
  const auto at = shape ? place(facts.node.integer("axis").value_or(-1), shape->size()) : std::nullopt;
  const auto count = facts.integers(1);
  if (!at) return {{facts.type(0).element_type, std::nullopt}, {number(Dtype::kInt64), std::nullopt}};
  (*shape)[*at] = count && count->size() == 1 ? count->front() : kOpen;
  return {{facts.type(0).element_type, shape}, {number(Dtype::kInt64), shape}};
}
Types mat_mul(const Facts& facts) {
  const ValueType type = facts.type(0);
  KnownShape a = type.shape, b = facts.shape(1);
  if (!a || !b || a->empty() || b->empty()) return {{type.element_type, std::nullopt}};
  const bool is_row = a->size() == 1, is_column = b->size() == 1;
  if (is_row) a->insert(a->begin(), 1);
  if (is_column) b->push_back(1);
  const KnownShape batch = broadcast(Shape(a->begin(), a->end() - 2), Shape(b->begin(), b->end() - 2));
  if (!batch) return {{type.element_type, std::nullopt}};
  Shape shape = *batch;
  if (!is_row) shape.push_back((*a)[a->size() - 2]);
  if (!is_column) shape.push_back(b->back());
  return {{type.element_type, shape}};
}
Types gemm(const Facts& facts) {
  const KnownShape a = facts.shape(0), b = facts.shape(1);
  const auto size = [](const KnownShape& shape, bool is_transposed, std::size_t i) {
    return shape && shape->size() == 2 ? (*shape)[is_transposed ? 1 - i : i] : kOpen;
  };
  const bool turns_a = facts.node.integer("transA").value_or(0) != 0;
  const bool turns_b = facts.node.integer("transB").value_or(0) != 0;
  return {{facts.type(0).element_type, Shape{size(a, turns_a, 0), size(b, turns_b, 1)}}};
}

/// Sizes that a window of `kernel` leaves of the axes from the third on.
KnownShape windowed(const Facts& facts, const Shape& input, std::int64_t channels, const Integers& kernel) {
  const std::size_t axes = input.size() - 2;
  if (kernel.size() != axes) return std::nullopt;
  const auto strides = facts.node.integers("strides").value_or(Integers(axes, 1));
  const auto dilations = facts.node.integers("dilations").value_or(Integers(axes, 1));
  const auto pads = facts.node.integers("pads").value_or(Integers(2 * axes, 0));
  const std::string mode = facts.node.text("auto_pad").value_or("NOTSET");
  const bool rounds_up = facts.node.integer("ceil_mode").value_or(0) != 0;
  if (strides.size() != axes || dilations.size() != axes || pads.size() != 2 * axes) return std::nullopt;
  Shape shape = {input[0], channels};
  for (std::size_t i = 0; i < axes; ++i) {
    if (strides[i] < 1) return std::nullopt;
    const std::int64_t size = input[i + 2], reach = dilations[i] * (kernel[i] - 1) + 1;
    std::int64_t result = kOpen;
    if (size >= 0 && kernel[i] >= 0) {
      if (mode == "SAME_UPPER" || mode == "SAME_LOWER") {
        result = (size + strides[i] - 1) / strides[i];
      } else {
        const std::int64_t room = size + (mode == "VALID" ? 0 : pads[i] + pads[i + axes]) - reach;
        if (room < 0) return std::nullopt;
        if (!rounds_up) result = room / strides[i] + 1;  // how far a last window reaches over is the runtime's to say
      }
    }
    shape.push_back(result);
  }
  return shape;
}
Types conv(const Facts& facts) {
  const ValueType type = facts.type(0);
  const KnownShape weight = facts.shape(1);
  if (!type.shape || !weight || type.shape->size() < 3 || weight->size() != type.shape->size()) {
    return {{type.element_type, std::nullopt}};
  }
  return {
      {type.element_type, windowed(facts, *type.shape, (*weight)[0], Integers(weight->begin() + 2, weight->end()))}};
}
Types pool(const Facts& facts) {
  const ValueType type = facts.type(0);
  const auto kernel = facts.node.integers("kernel_shape");
  KnownShape shape;
  if (type.shape && kernel && type.shape->size() > 2) shape = windowed(facts, *type.shape, (*type.shape)[1], *kernel);
  return {{type.element_type, shape}, {number(Dtype::kInt64), shape}};
}
Types global_pool(const Facts& facts) {
  ValueType type = facts.type(0);
  for (std::size_t i = 2; type.shape && i < type.shape->size(); ++i) (*type.shape)[i] = 1;
  return {type};
}
Types quantize(const Facts& facts) {
  if (const auto asked = facts.node.integer("output_dtype"); asked && *asked != 0) {
    return {{static_cast<int>(*asked), facts.shape(0)}};
  }
  const auto zero_point = facts.type(2).element_type;
  return {{zero_point ? zero_point : number(Dtype::kUint8), facts.shape(0)}};
}
Types dequantize(const Facts& facts) {
  return {{facts.type(1).element_type, facts.shape(0)}};
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
Types conv_transpose(const Facts& facts) {
  const ValueType type = facts.type(0);
  const KnownShape weight = facts.shape(1);
  const bool fits = type.shape && weight && type.shape->size() > 2 && weight->size() == type.shape->size();
  const std::string mode = facts.node.text("auto_pad").value_or("NOTSET");
  if (!fits || mode != "NOTSET" || facts.node.has_attribute("output_shape")) return {{type.element_type, std::nullopt}};
  const std::size_t axes = weight->size() - 2;
  const auto strides = facts.node.integers("strides").value_or(Integers(axes, 1));
  const auto dilations = facts.node.integers("dilations").value_or(Integers(axes, 1));
  const auto pads = facts.node.integers("pads").value_or(Integers(2 * axes, 0));
  const auto further = facts.node.integers("output_padding").value_or(Integers(axes, 0));
  if (strides.size() != axes || dilations.size() != axes || pads.size() != 2 * axes || further.size() != axes) {
    return {{type.element_type, std::nullopt}};
  }
  const std::int64_t channels = (*weight)[1] < 0 ? kOpen : (*weight)[1] * facts.node.integer("group").value_or(1);
  Shape shape = {(*type.shape)[0], channels};
  for (std::size_t i = 0; i < axes; ++i) {
    const std::int64_t size = (*type.shape)[i + 2], kernel = (*weight)[i + 2];
    const bool is_known = size >= 0 && kernel >= 0;
    shape.push_back(is_known ? strides[i] * (size - 1) + further[i] + dilations[i] * (kernel - 1) + 1 - pads[i] -
                                   pads[i + axes]
                             : kOpen);
  }
  return {{type.element_type, shape}};
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
Types resize(const Facts& facts) {
  ValueType type = facts.type(0);
  const auto sizes = facts.integers(3);
  const auto axes = facts.node.integers("axes");
  if (!type.shape) return {type};
  for (std::size_t i = 0; i < type.shape->size(); ++i) {
    const bool is_known = sizes && !axes && i < sizes->size() && !facts.node.text("keep_aspect_ratio_policy");
    (*type.shape)[i] = is_known ? (*sizes)[i] : kOpen;
  }
  return {type};
}
Types grid_sample(const Facts& facts) {
  const ValueType type = facts.type(0);
  const KnownShape grid = facts.shape(1);
  if (!type.shape || !grid || type.shape->size() < 3 || grid->size() != type.shape->size()) {
    return {{type.element_type, std::nullopt}};
  }
  Shape shape = {(*type.shape)[0], (*type.shape)[1]};
  shape.insert(shape.end(), grid->begin() + 1, grid->end() - 1);
  return {{type.element_type, shape}};
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
Types gather_nd(const Facts& facts) {
  const ValueType type = facts.type(0);
  const KnownShape indices = facts.shape(1);
  const auto batch = static_cast<std::size_t>(facts.node.integer("batch_dims").value_or(0));
  if (!type.shape || !indices || indices->empty() || indices->back() < 0) return {{type.element_type, std::nullopt}};
  const std::size_t taken = batch + static_cast<std::size_t>(indices->back());
  if (taken > type.shape->size()) return {{type.element_type, std::nullopt}};
  Shape shape(indices->begin(), indices->end() - 1);
  shape.insert(shape.end(), type.shape->begin() + static_cast<std::ptrdiff_t>(taken), type.shape->end());
  return {{type.element_type, shape}};
}
/// LSTM, GRU and RNN: all steps, then the last state (twice for LSTM).
Types recurrent(const Facts& facts) {
  const ValueType type = facts.type(0);
  const KnownShape weight = facts.shape(1);
  const std::int64_t hidden = facts.node.integer("hidden_size").value_or(kOpen);
  Types types(facts.node.outputs().size(), ValueType{type.element_type, std::nullopt});
  if (!type.shape || !weight || type.shape->size() != 3 || weight->size() != 3) return types;
  if (facts.node.integer("layout").value_or(0) != 0) return types;
  const std::int64_t steps = (*type.shape)[0], batch = (*type.shape)[1], directions = (*weight)[0];
  for (std::size_t i = 0; i < types.size(); ++i) {
    types[i].shape = i == 0 ? Shape{steps, directions, batch, hidden} : Shape{directions, batch, hidden};
  }
  return types;
}
Types given_by_branches(const Facts& facts) {
  Types types(facts.node.outputs().size());
  const auto& branches = facts.node.inner_graphs();
  for (std::size_t i = 0; i < types.size(); ++i) {
    for (const Scope* branch : branches) {
      if (i >= branch->outputs().size()) return Types(types.size());
      const ValueType given = facts.inferred.type(*branch->outputs()[i]);
      if (branch == branches.front()) {
        types[i] = given;
        continue;
      }
      if (types[i].element_type != given.element_type) types[i].element_type.reset();
      if (types[i].shape == given.shape) continue;
      const bool same_rank = types[i].shape && given.shape && types[i].shape->size() == given.shape->size();
      if (!same_rank) types[i].shape.reset();
      for (std::size_t axis = 0; same_rank && axis < given.shape->size(); ++axis) {
        if ((*types[i].shape)[axis] != (*given.shape)[axis]) (*types[i].shape)[axis] = kOpen;
      }
    }
  }
  return types;
}

/// For operators that move elements to sizes that nobody here needs.
Types moved(const Facts& facts) {
  return {{facts.type(0).element_type, std::nullopt}};
}
Types constant_of_shape(const Facts& facts) {
  const auto sizes = facts.integers(0);
  // Without a value it is filled with float32.
  const auto element_type = facts.node.has_attribute("value") ? std::nullopt : number(Dtype::kFloat32);
  return {{element_type, sizes ? KnownShape(*sizes) : std::nullopt}};
}
Types non_zero(const Facts& facts) {
  const KnownShape shape = facts.shape(0);
  return {{number(Dtype::kInt64), Shape{shape ? static_cast<std::int64_t>(shape->size()) : kOpen, kOpen}}};
}

struct RuleRow {
  std::string_view op_type;
  Rule rule;
};

constexpr auto kRules = std::to_array<RuleRow>({
    {"Abs", same},
    {"Acos", same},
    {"Acosh", same},
    {"Add", elementwise},
    {"And", comparison},
    {"ArgMax", arg_extreme},
    {"ArgMin", arg_extreme},
    {"Asin", same},
    {"Asinh", same},
    {"Atan", same},
    {"Atanh", same},
    {"AveragePool", pool},
    {"BatchNormalization", same_for_first},
    {"BitwiseAnd", elementwise},
    {"BitwiseNot", same},
    {"BitwiseOr", elementwise},
    {"BitwiseXor", elementwise},
    {"Cast", cast},
    {"Ceil", same},
    {"Celu", same},
    {"Clip", same},
    {"Concat", concat},
    {"Conv", conv},
    {"ConstantOfShape", constant_of_shape},
    {"ConvTranspose", conv_transpose},
    {"Cos", same},
    {"Cosh", same},
    {"CumSum", same},
    {"DepthToSpace", depth_to_space},
    {"DequantizeLinear", dequantize},
    {"Div", elementwise},
    {"Dropout", same_for_first},
    {"Elu", same},
    {"Equal", comparison},
    {"Erf", same},
    {"Exp", same},
    {"Expand", expand},
    {"Flatten", flatten},
    {"Floor", same},
    {"GRU", recurrent},
    {"Gather", gather},
    {"GatherElements", gather_elements},
    {"GatherND", gather_nd},
    {"Gelu", same},
    {"Gemm", gemm},
    {"GlobalAveragePool", global_pool},
    {"GlobalMaxPool", global_pool},
    {"Greater", comparison},
    {"GreaterOrEqual", comparison},
    {"GridSample", grid_sample},
    {"GroupNormalization", same},
    {"HardSigmoid", same},
    {"HardSwish", same},
    {"Identity", same},
    {"If", given_by_branches},
    {"InstanceNormalization", same},
    {"IsInf", test},
    {"IsNaN", test},
    {"LSTM", recurrent},
    {"LayerNormalization", same_for_first},
    {"LeakyRelu", same},
    {"Less", comparison},
    {"LessOrEqual", comparison},
    {"Log", same},
    {"LogSoftmax", same},
    {"LpNormalization", same},
    {"MatMul", mat_mul},
    {"Max", elementwise},
    {"MaxPool", pool},
    {"Min", elementwise},
    {"Mish", same},
    {"Mod", elementwise},
    {"Mul", elementwise},
    {"Neg", same},
    {"NonZero", non_zero},
    {"Not", test},
    {"Or", comparison},
    {"PRelu", elementwise},  // in ONNX the slopes are broadcast to the data, in ONNX Runtime both ways
    {"Pad", pad},
    {"Pow", elementwise},
    {"QuantizeLinear", quantize},
    {"RNN", recurrent},
    {"Range", range},
    {"Reciprocal", same},
    {"ReduceL1", reduce},
    {"ReduceL2", reduce},
    {"ReduceLogSumExp", reduce},
    {"ReduceMax", reduce},
    {"ReduceMean", reduce},
    {"ReduceMin", reduce},
    {"ReduceProd", reduce},
    {"ReduceSum", reduce},
    {"Relu", same},
    {"Reshape", reshape},
    {"Resize", resize},
    {"Round", same},
    {"ScatterElements", same},
    {"ScatterND", same},
    {"Selu", same},
    {"Shape", shape_of},
    {"Shrink", same},
    {"Sigmoid", same},
    {"Sign", same},
    {"Sin", same},
    {"Sinh", same},
    {"Size", size_of},
    {"Slice", slice},
    {"Softmax", same},
    {"Softplus", same},
    {"Softsign", same},
    {"SpaceToDepth", moved},
    {"Split", split},
    {"Sqrt", same},
    {"Squeeze", squeeze},
    {"Sub", elementwise},
    {"Tan", same},
    {"Tanh", same},
    {"ThresholdedRelu", same},
    {"Tile", tile},
    {"TopK", top_k},
    {"Transpose", transpose},
    {"Trilu", same},
    {"Unsqueeze", unsqueeze},
    {"Upsample", moved},
    {"Where", where},
    {"Xor", comparison},
});

// Integers that are the same in every run.
// -----------------------------------------------------------------------------

std::optional<Integers> known_integers(const Facts& facts) {
  const Node& node = facts.node;
  const auto first = facts.integers(0);
  if (node.is("Shape")) {
    const KnownShape shape = facts.shape(0);
    const bool is_part = node.has_attribute("start") || node.has_attribute("end");
    const bool is_known = shape && !is_part && std::ranges::all_of(*shape, [](std::int64_t size) { return size >= 0; });
    return is_known ? std::optional<Integers>(*shape) : std::nullopt;
  }
  if (node.is("Identity") || node.is("Squeeze") || node.is("Unsqueeze")) return first;
  if (node.is("Cast")) return node.integer("to") == number(Dtype::kInt64) ? first : std::nullopt;
  if (node.is("Concat")) {
    Integers all;
    for (std::size_t i = 0; i < node.inputs().size(); ++i) {
      const auto part = facts.integers(i);
      if (!part) return std::nullopt;
      all.insert(all.end(), part->begin(), part->end());
    }
    return all;
  }
  const auto second = facts.integers(1);
  if (!first || !second) return std::nullopt;
  if (node.is("Gather")) {
    Integers found;
    for (const std::int64_t index : *second) {
      const auto at = place(index, first->size());
      if (!at) return std::nullopt;
      found.push_back((*first)[*at]);
    }
    return found;
  }
  const bool is_arithmetic = node.is("Add") || node.is("Sub") || node.is("Mul") || node.is("Div");
  const bool fits = first->size() == second->size() || first->size() == 1 || second->size() == 1;
  if (!is_arithmetic || !fits) return std::nullopt;
  Integers result(first->size() == 1 ? second->size() : first->size());  // of none and one it is none
  for (std::size_t i = 0; i < result.size(); ++i) {
    const std::int64_t a = (*first)[first->size() == 1 ? 0 : i], b = (*second)[second->size() == 1 ? 0 : i];
    bool overflows = false;
    if (node.is("Add")) overflows = __builtin_add_overflow(a, b, &result[i]);
    if (node.is("Sub")) overflows = __builtin_sub_overflow(a, b, &result[i]);
    if (node.is("Mul")) overflows = __builtin_mul_overflow(a, b, &result[i]);
    if (node.is("Div")) {
      overflows = b == 0 || b == -1;
      result[i] = overflows ? 0 : a / b;
    }
    if (overflows) return std::nullopt;
  }
  return result;
}

/// What two sources say of a value, taken together; the first has precedence.
ValueType merged(const ValueType& declared, const ValueType& inferred) {
  ValueType type = declared;
  if (!type.element_type) type.element_type = inferred.element_type;
  if (!type.shape) {
    type.shape = inferred.shape;
  } else if (inferred.shape && inferred.shape->size() == type.shape->size()) {
    for (std::size_t i = 0; i < type.shape->size(); ++i) {
      if ((*type.shape)[i] < 0) (*type.shape)[i] = (*inferred.shape)[i];
    }
  }
  return type;
}

}  // namespace

InferredTypes::InferredTypes(Rewriter& rewriter) {
  for (Scope* scope : rewriter.scopes()) {
    if (scope->outer() == nullptr) read(*scope);
  }
}

void InferredTypes::read(Scope& scope) {
  for (const Node* node : scope.nodes()) {
    for (Scope* inner : node->inner_graphs()) read(*inner);
    add(*node);
  }
}

ValueType InferredTypes::type(const Value& value) const {
  const auto found = types_.find(&value);
  return found == types_.end() ? value.type() : merged(value.type(), found->second);
}

std::optional<std::vector<std::int64_t>> InferredTypes::integers(const Value& value) const {
  if (const auto found = integers_.find(&value); found != integers_.end()) return found->second;
  const bool is_list = value.type().shape && value.type().shape->size() < 2;
  return value.is_constant() && is_list && value.size_bytes() <= kMostIntegers * sizeof(std::int64_t) ? value.integers()
                                                                                                      : std::nullopt;
}

void InferredTypes::add(const Node& node) {
  if (!node.is_standard()) return;
  const Facts facts{*this, node};
  const auto row = std::ranges::find(kRules, node.op_type(), &RuleRow::op_type);
  if (row != kRules.end()) {
    const Types types = row->rule(facts);
    for (std::size_t i = 0; i < types.size(); ++i) {
      const Value* const output = node.output(i);
      // A rule for values of the node's graph alone: a name that two nodes give belongs to neither.
      if (output != nullptr && output->producer() == &node) types_[output] = types[i];
    }
  }
  const Value* const output = node.output(0);
  if (output == nullptr || node.outputs().size() != 1) return;
  auto integers = known_integers(facts);
  const ValueType known = type(*output);
  const bool is_list = known.element_type == number(Dtype::kInt64) && known.shape && known.shape->size() < 2;
  if (!integers || !is_list || integers->size() > kMostIntegers) return;
  if (known.shape->empty() && integers->size() != 1) return;
  integers_[output] = std::move(*integers);
}

}  // namespace slipway::compile::onnx_graph
