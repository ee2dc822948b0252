#include "compile/npu_faults/remainder_faults.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "compile/npu_faults/find_nodes.hpp"
#include "compile/npu_faults/integer_constant.hpp"
#include "compile/npu_faults/probe_graph.hpp"
#include "compile/npu_faults/replace_node.hpp"
#include "compile/onnx_graph/element_type.hpp"

namespace slipway::compile::npu_faults {

using onnx_graph::InferredTypes;
using onnx_graph::Node;
using onnx_graph::Rewriter;
using onnx_graph::Scope;
using onnx_graph::Value;
using tensor::Dtype;

namespace {

bool is_always_positive(const Value& divisor) {
  if (!divisor.is_constant()) return false;
  if (const auto numbers = divisor.integers())
    return std::ranges::all_of(*numbers, [](auto number) { return number > 0; });
  return divisor.scalar().value_or(0) > 0;
}

/// The nodes that a remainder is made of, in the place of a Mod.
class Remainder {
 public:
  Remainder(Rewriter& graph, Node& mod, int element_type)
      : graph_(graph),
        mod_(mod),
        name_(mod.output(0)->name()),
        number_(mod.input(0)),
        divisor_(mod.input(1)),
        element_type_(element_type) {}

  void write() {
    Value* const quotient = node("Div", {number_, divisor_}, "quotient");
    Value* const multiple = node("Mul", {quotient, divisor_}, "taken");
    if (mod_.integer("fmod").value_or(0) != 0) return replace_node(graph_, mod_, "Sub", {number_, multiple});
    // Div cuts towards zero, so this has the sign of the number; Mod's has that of the divisor.
    Value* const left = node("Sub", {number_, multiple}, "left");
    Value* const moved = node("Add", {left, divisor_}, "moved");
    replace_node(graph_, mod_, "Where", {has_other_sign(left), moved, left});
  }

 private:
  Value* node(const char* op_type, const std::vector<Value*>& inputs, const char* what) {
    return graph_.add_node(mod_.scope(), op_type, inputs, {fmt::format("{}_{}", name_, what)}).output(0);
  }

  Value* has_other_sign(Value* left) {
    Value* const zero = &integer_constant(graph_, mod_.scope(), name_ + "_zero", element_type_, {0});
    Value* const is_negative = node("Less", {left, zero}, "is_negative");
    if (is_always_positive(*divisor_)) return is_negative;
    Value* const differs = node("Xor", {is_negative, node("Less", {divisor_, zero}, "divisor_is_negative")}, "differs");
    Value* const is_some = node("Not", {node("Equal", {left, zero}, "is_zero")}, "is_some");
    return node("And", {differs, is_some}, "has_other_sign");
  }

  Rewriter& graph_;
  Node& mod_;
  const std::string name_;
  Value* const number_;
  Value* const divisor_;
  const int element_type_;
};

}  // namespace

int subtract_quotients(Rewriter& graph, const InferredTypes& types) {
  int count = 0;
  for (Node* node : find_nodes(graph, "Mod")) {
    if (!holds_integers(node->input(0), types) || node->input(1) == nullptr) continue;
    Remainder(graph, *node, *types.type(*node->input(0)).element_type).write();
    ++count;
  }
  return count;
}

std::vector<std::string> remainders_of_other_types(Rewriter& graph, const InferredTypes& types) {
  std::vector<std::string> found;
  for (const Node* node : find_nodes(graph, "Mod")) {
    const auto type = types.type(*node->input(0)).element_type;
    const auto dtype = type ? onnx_graph::dtype_of_element_type(*type) : std::nullopt;
    // Of floats the compiler takes none, and says so.
    const bool is_float =
        dtype && (*dtype == Dtype::kFloat16 || *dtype == Dtype::kFloat32 || *dtype == Dtype::kFloat64);
    if (!dtype || is_float || holds_integers(node->input(0), types)) continue;
    found.push_back(fmt::format("Mod '{}' of {}", node->name(), tensor::dtype_name(*dtype)));
  }
  return found;
}

onnx_graph::Model remainder_probe() {
  ProbeGraph graph;
  auto* const number = graph.node("Mul", {graph.input(Dtype::kInt64, {1, 64}), graph.integers({10007})});
  return std::move(graph).with_output(graph.node("Mod", {number, graph.integers({7})}), Dtype::kInt64, {1, 64});
}

}  // namespace slipway::compile::npu_faults
