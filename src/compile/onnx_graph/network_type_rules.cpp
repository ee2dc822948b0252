#include <algorithm>
#include <string>

#include "compile/onnx_graph/type_rules.hpp"

namespace slipway::compile::onnx_graph::type_rules {

using tensor::Dtype;

namespace {

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

/// Whether two sizes that must be one may be.
bool may_meet(std::int64_t a, std::int64_t b) {
  return a < 0 || b < 0 || a == b;
}

}  // namespace

Types mat_mul(const Facts& facts) {
  const ValueType type = facts.type(0);
  KnownShape a = type.shape, b = facts.shape(1);
  if (!a || !b || a->empty() || b->empty()) return {{type.element_type, std::nullopt}};
  const bool is_row = a->size() == 1, is_column = b->size() == 1;
  if (is_row) a->insert(a->begin(), 1);
  if (is_column) b->push_back(1);
  if (!may_meet(a->back(), (*b)[b->size() - 2])) return {{type.element_type, std::nullopt}};
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
  if (!may_meet(size(a, turns_a, 1), size(b, turns_b, 0))) return {{facts.type(0).element_type, std::nullopt}};
  return {{facts.type(0).element_type, Shape{size(a, turns_a, 0), size(b, turns_b, 1)}}};
}

Types conv(const Facts& facts) {
  const ValueType type = facts.type(0);
  const KnownShape weight = facts.shape(1);
  if (!type.shape || !weight || type.shape->size() < 3 || weight->size() != type.shape->size()) {
    return {{type.element_type, std::nullopt}};
  }
  const std::int64_t groups = facts.node.integer("group").value_or(1), of_group = (*weight)[1];
  if (of_group >= 0 && !may_meet((*type.shape)[1], of_group * groups)) return {{type.element_type, std::nullopt}};
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

Types conv_transpose(const Facts& facts) {
  const ValueType type = facts.type(0);
  const KnownShape weight = facts.shape(1);
  const bool fits = type.shape && weight && type.shape->size() > 2 && weight->size() == type.shape->size() &&
                    may_meet((*type.shape)[1], (*weight)[0]);
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

}  // namespace slipway::compile::onnx_graph::type_rules
