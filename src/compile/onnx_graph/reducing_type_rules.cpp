#include <algorithm>
#include <string>

#include "compile/onnx_graph/type_rules.hpp"

namespace slipway::compile::onnx_graph::type_rules {

using tensor::Dtype;

Types reduce(const Facts& facts) {
  const ValueType type = facts.type(0);
  const bool keepdims = facts.node.integer("keepdims").value_or(1) != 0;
  const bool has_axes = facts.node.has_attribute("axes") || facts.node.input(1) != nullptr;
  const auto axes = facts.axes(1);
  if (!type.shape || (has_axes && !axes)) return {{type.element_type, std::nullopt}};
  const bool names_none = !has_axes || axes->empty();
  if (names_none && facts.node.integer("noop_with_empty_axes").value_or(0) != 0) return {type};
  std::vector<bool> goes(type.shape->size(), names_none);
  if (has_axes && !mark(*axes, goes)) return {{type.element_type, std::nullopt}};
  Shape shape;
  for (std::size_t i = 0; i < goes.size(); ++i) {
    if (!goes[i]) shape.push_back((*type.shape)[i]);
    if (goes[i] && keepdims) shape.push_back(1);
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

Types shape_of(const Facts& facts) {
  const KnownShape shape = facts.shape(0);
  if (!shape) return {{number(Dtype::kInt64), Shape{kOpen}}};
  const auto rank = static_cast<std::int64_t>(shape->size());
  const auto at = [&](const char* name, std::int64_t otherwise) {
    const std::int64_t axis = facts.node.integer(name).value_or(otherwise);
    return std::clamp<std::int64_t>(axis < 0 ? axis + rank : axis, 0, rank);
  };
  return {{number(Dtype::kInt64), Shape{std::max<std::int64_t>(0, at("end", rank) - at("start", 0))}}};
}

Types size_of(const Facts&) {
  return {{number(Dtype::kInt64), Shape{}}};
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

Types constant_of_shape(const Facts& facts) {
  const auto sizes = facts.integers(0);
  // Without a value it is filled with float32.
  const auto element_type = facts.node.has_attribute("value") ? std::nullopt : number(Dtype::kFloat32);
  return {{element_type, sizes ? KnownShape(*sizes) : open_of_rank(facts.shape(0))}};
}

Types non_zero(const Facts& facts) {
  const KnownShape shape = facts.shape(0);
  return {{number(Dtype::kInt64), Shape{shape ? static_cast<std::int64_t>(shape->size()) : kOpen, kOpen}}};
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

}  // namespace slipway::compile::onnx_graph::type_rules
