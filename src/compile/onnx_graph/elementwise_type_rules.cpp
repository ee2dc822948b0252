#include <algorithm>
#include <string>

#include "compile/onnx_graph/type_rules.hpp"

namespace slipway::compile::onnx_graph::type_rules {

using tensor::Dtype;

namespace {

KnownShape broadcast_all(const Facts& facts, std::size_t first = 0) {
  KnownShape shape = facts.shape(first);
  for (std::size_t i = first + 1; i < facts.node.inputs().size(); ++i) shape = broadcast(shape, facts.shape(i));
  return shape;
}

}  // namespace

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

}  // namespace slipway::compile::onnx_graph::type_rules
