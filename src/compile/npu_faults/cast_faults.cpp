#include "compile/npu_faults/cast_faults.hpp"

#include <array>

#include "compile/npu_faults/element_type_of.hpp"
#include "compile/npu_faults/replace_node.hpp"
#include "compile/onnx_graph/element_type.hpp"

namespace slipway::compile::npu_faults {
namespace {

using onnx_graph::element_type_of_dtype;
using onnx_graph::Model;
using onnx_graph::Node;
using onnx_graph::Rewriter;
using onnx_graph::Scope;
using onnx_graph::Value;
using tensor::Dtype;

/// The Casts to `to`, with what they read, from types that `is_from` takes.
std::vector<Node*> casts(Rewriter& graph, Dtype to, bool (*is_from)(int element_type)) {
  std::vector<Node*> found;
  for (Scope* scope : graph.scopes()) {
    for (Node* node : scope->nodes()) {
      if (!node->is("Cast") || node->integer("to") != element_type_of_dtype(to)) continue;
      const auto from = element_type_of(node->input(0));
      if (from && is_from(*from)) found.push_back(node);
    }
  }
  return found;
}

bool is_uint8(int element_type) {
  return element_type == element_type_of_dtype(Dtype::kUint8);
}

bool is_signed_integer(int element_type) {
  return element_type == element_type_of_dtype(Dtype::kInt32) || element_type == element_type_of_dtype(Dtype::kInt64);
}

/// A graph of one Cast.
Model cast_probe(Dtype from, Dtype to, const tensor::Shape& shape) {
  Model model = Model::create(17, 8, "probe", "slipway");
  Rewriter graph(model);
  Scope& main = graph.main();
  Value& input = graph.add_input(main, "x", {element_type_of_dtype(from), shape});
  Node& cast = graph.add_node(main, "Cast", {&input}, {"y"}, {{"to", std::int64_t{element_type_of_dtype(to)}}});
  graph.set_type(*cast.output(0), {element_type_of_dtype(to), shape});
  graph.add_output(*cast.output(0));
  return model;
}

}  // namespace

int cast_uint8_through_int32(Rewriter& graph) {
  const auto found = casts(graph, Dtype::kFloat32, is_uint8);
  for (Node* node : found) {
    const std::int64_t int32 = element_type_of_dtype(Dtype::kInt32);
    const Node& widened =
        graph.add_node(node->scope(), "Cast", {node->input(0)}, {node->input(0)->name() + "_int32"}, {{"to", int32}});
    graph.set_type(*widened.output(0), {static_cast<int>(int32), node->input(0)->type().shape});
    graph.set_input(*node, 0, widened.output(0));
  }
  return static_cast<int>(found.size());
}

Model uint8_to_float_probe() {
  return cast_probe(Dtype::kUint8, Dtype::kFloat32, {1, 3, 8, 8});
}

int compare_integers_with_zero(Rewriter& graph) {
  const auto found = casts(graph, Dtype::kBool, is_signed_integer);
  for (Node* node : found) {
    Scope& scope = node->scope();
    Value* number = node->input(0);
    const int type = *element_type_of(number);
    constexpr std::array<std::byte, 8> kZero{};
    const std::size_t size = type == element_type_of_dtype(Dtype::kInt64) ? 8 : 4;
    Value& zero = graph.add_initializer(
        scope, number->name() + "_zero",
        {.element_type = type, .shape = {1}, .bytes = std::span<const std::byte>(kZero).first(size)});
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
