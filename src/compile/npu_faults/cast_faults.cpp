#include "compile/npu_faults/cast_faults.hpp"

#include <array>

#include "compile/npu_faults/find_nodes.hpp"
#include "compile/npu_faults/probe_graph.hpp"
#include "compile/npu_faults/replace_node.hpp"
#include "compile/onnx_graph/element_type.hpp"

namespace slipway::compile::npu_faults {
namespace {

using onnx_graph::element_type_of_dtype;
using onnx_graph::InferredTypes;
using onnx_graph::Model;
using onnx_graph::Node;
using onnx_graph::Rewriter;
using onnx_graph::Scope;
using onnx_graph::Value;
using tensor::Dtype;

struct FoundCast {
  Node* node;
  Dtype from;
};

/// The Casts to `to` whose input has one of these types.
std::vector<FoundCast> casts(Rewriter& graph, const InferredTypes& types, std::initializer_list<Dtype> from, Dtype to) {
  std::vector<FoundCast> found;
  for (Node* node : find_nodes(graph, "Cast")) {
    if (node->integer("to") != element_type_of_dtype(to) || node->input(0) == nullptr) continue;
    const auto type = types.type(*node->input(0)).element_type;
    for (const Dtype dtype : from) {
      if (type == element_type_of_dtype(dtype)) found.push_back({.node = node, .from = dtype});
    }
  }
  return found;
}

/// What a Cast of a byte reads, as int32.
Value& widened(Rewriter& graph, const Node& node) {
  Value* const byte = node.input(0);
  const std::int64_t int32 = element_type_of_dtype(Dtype::kInt32);
  Value& wide = *graph.add_node(node.scope(), "Cast", {byte}, {byte->name() + "_int32"}, {{"to", int32}}).output(0);
  graph.set_type(wide, {static_cast<int>(int32), byte->type().shape});
  return wide;
}

Model cast_probe(Dtype from, Dtype to, const tensor::Shape& shape) {
  ProbeGraph graph;
  auto* const cast = graph.node("Cast", {graph.input(from, shape)}, {{"to", std::int64_t{element_type_of_dtype(to)}}});
  return std::move(graph).with_output(cast, to, shape);
}

}  // namespace

int cast_uint8_through_int32(Rewriter& graph, const InferredTypes& types) {
  const auto found = casts(graph, types, {Dtype::kUint8}, Dtype::kFloat32);
  for (const auto& [node, from] : found) graph.set_input(*node, 0, &widened(graph, *node));
  return static_cast<int>(found.size());
}

Model uint8_to_float_probe() {
  return cast_probe(Dtype::kUint8, Dtype::kFloat32, {1, 3, 8, 8});
}

int compare_integers_with_zero(Rewriter& graph, const InferredTypes& types) {
  const auto found = casts(graph, types, {Dtype::kUint8, Dtype::kInt32, Dtype::kInt64}, Dtype::kBool);
  for (const auto& [node, from] : found) {
    Scope& scope = node->scope();
    Value* const number = from == Dtype::kUint8 ? &widened(graph, *node) : node->input(0);
    constexpr std::array<std::byte, 8> kZero{};
    const Dtype dtype = from == Dtype::kUint8 ? Dtype::kInt32 : from;
    Value& zero = graph.add_initializer(scope, number->name() + "_zero",
                                        {.element_type = element_type_of_dtype(dtype),
                                         .shape = {},
                                         .bytes = std::span(kZero).first(tensor::dtype_size_bytes(dtype))});
    const Node& equal = graph.add_node(scope, "Equal", {number, &zero}, {number->name() + "_is_zero"});
    graph.set_type(*equal.output(0), {element_type_of_dtype(Dtype::kBool), number->type().shape});
    replace_node(graph, *node, "Not", {equal.output(0)});
  }
  return static_cast<int>(found.size());
}

Model integer_to_bool_probe() {
  return cast_probe(Dtype::kInt32, Dtype::kBool, {1, 64});
}

}  // namespace slipway::compile::npu_faults
