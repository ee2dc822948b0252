#include "compile/npu_faults/sigmoid_faults.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "compile/npu_faults/find_nodes.hpp"
#include "compile/npu_faults/probe_graph.hpp"
#include "compile/npu_faults/replace_node.hpp"
#include "compile/onnx_graph/element_type.hpp"

namespace slipway::compile::npu_faults {

using onnx_graph::element_type_of_dtype;
using onnx_graph::InferredTypes;
using onnx_graph::Node;
using onnx_graph::Rewriter;
using onnx_graph::Value;
using tensor::Dtype;

namespace {

/// The scores of a detector are fewer; for a mask of a large image three nodes more are not cheap.
constexpr std::int64_t kMostNumbers = 1 << 20;

/// Operators that give the numbers of their first inputs in other places.
constexpr std::array<std::string_view, 10> kMoving = {"Concat",  "Expand", "Flatten", "Gather",    "Identity",
                                                      "Reshape", "Slice",  "Squeeze", "Transpose", "Unsqueeze"};

bool only_moves(const Node& node) {
  return std::ranges::any_of(kMoving, [&](std::string_view op_type) { return node.is(op_type); });
}

bool reaches_an_output(const Value& value) {
  std::set<const Value*> seen = {&value};  // a stranger's graph may have a cycle
  std::vector<const Value*> open = {&value};
  while (!open.empty()) {
    const Value* const next = open.back();
    open.pop_back();
    if (next->is_output()) return true;
    for (const auto& use : next->uses()) {
      const Value* const moved = only_moves(*use.node) ? use.node->output(0) : nullptr;
      if (moved != nullptr && seen.insert(moved).second) open.push_back(moved);
    }
  }
  return false;
}

bool is_coarse(const Node& node, const InferredTypes& types) {
  const auto [element_type, shape] = types.type(*node.input(0));
  const auto numbers = shape ? tensor::element_count(*shape) : std::nullopt;
  return element_type == element_type_of_dtype(Dtype::kFloat32) && numbers && *numbers <= kMostNumbers &&
         reaches_an_output(*node.output(0));
}

}  // namespace

int write_out_sigmoids_of_outputs(Rewriter& graph, const InferredTypes& types) {
  int count = 0;
  for (Node* node : find_nodes(graph, "Sigmoid")) {
    if (!is_coarse(*node, types)) continue;
    const std::string name = node->output(0)->name();
    Value* const numbers = node->input(0);
    const auto constant = [&](float number, const char* what) {
      return &graph.add_initializer(node->scope(), name + what,
                                    {.element_type = element_type_of_dtype(Dtype::kFloat32),
                                     .shape = {},
                                     .bytes = std::as_bytes(std::span(&number, 1))});
    };
    const auto add = [&](const char* op_type, const std::vector<Value*>& inputs, const char* what) {
      return graph.add_node(node->scope(), op_type, inputs, {name + what}).output(0);
    };
    // Not 1 / (1 + exp(-x)): the power leaves half precision for x under -11.
    Value* const size = add("Abs", {numbers}, "_size");
    Value* const power = add("Exp", {add("Neg", {size}, "_less")}, "_power");
    Value* const divisor = add("Add", {power, constant(1, "_one")}, "_divisor");
    Value* const lowered = add("Min", {numbers, constant(0, "_zero")}, "_lowered");
    replace_node(graph, *node, "Div", {add("Exp", {lowered}, "_dividend"), divisor});
    ++count;
  }
  return count;
}

onnx_graph::Model sigmoid_probe() {
  ProbeGraph graph;
  const auto small_input = [&](const tensor::Shape& shape) {
    return graph.node("Mul", {graph.input(Dtype::kFloat32, shape), graph.number(1.0F / 256)});
  };
  auto* const data = small_input({1, 4, 8, 8});
  auto* const weights = small_input({4, 4, 1, 1});
  // Near zero the error, which is the same everywhere, is large beside the numbers.
  auto* const numbers = graph.node("Conv", {data, weights, graph.floats({-5, -5, -5, -5})});
  return std::move(graph).with_output(graph.node("Sigmoid", {numbers}), Dtype::kFloat32, {1, 4, 8, 8});
}

}  // namespace slipway::compile::npu_faults
