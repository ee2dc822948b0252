#include "compile/npu_faults/integer_faults.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include <fmt/format.h>

#include "compile/npu_faults/find_nodes.hpp"
#include "compile/npu_faults/probe_graph.hpp"

namespace slipway::compile::npu_faults {

using onnx_graph::Node;
using onnx_graph::Value;

namespace {

/// Operators that compute with what they read; others take such constants as settings, "to the end" of a Slice.
constexpr std::array kComputing = {"Add",  "Clip",        "Concat", "Div", "Equal", "Greater", "GreaterOrEqual",
                                   "Less", "LessOrEqual", "Max",    "Min", "Mod",   "Mul",     "ScatterElements",
                                   "Sub",  "Where"};

bool leaves_32_bits(std::int64_t number) {
  return number < std::numeric_limits<std::int32_t>::min() || number > std::numeric_limits<std::int32_t>::max();
}

/// ONNX Runtime computes what only constants enter.
bool is_computed_before(const Node& node) {
  return std::ranges::all_of(node.inputs(),
                             [](const Value* input) { return input == nullptr || input->is_constant(); });
}

}  // namespace

std::vector<std::string> wide_constants(onnx_graph::Rewriter& graph, const onnx_graph::InferredTypes&) {
  std::vector<std::string> found;
  for (const char* op_type : kComputing) {
    for (const Node* node : find_nodes(graph, op_type)) {
      if (is_computed_before(*node)) continue;
      for (const Value* input : node->inputs()) {
        const auto numbers = input == nullptr ? std::nullopt : input->integers();
        const auto wide =
            numbers ? std::ranges::find_if(*numbers, leaves_32_bits) : std::vector<std::int64_t>::const_iterator{};
        if (!numbers || wide == numbers->end()) continue;
        found.push_back(fmt::format("{} '{}' reads the constant {}", op_type, node->name(), *wide));
      }
    }
  }
  return found;
}

onnx_graph::Model wide_constant_probe() {
  ProbeGraph graph;
  auto* const data = graph.input(tensor::Dtype::kInt64, {1, 64});
  auto* const sum = graph.node("Add", {data, graph.integers({std::int64_t{1} << 40})});
  return std::move(graph).with_output(sum, tensor::Dtype::kInt64, {1, 64});
}

}  // namespace slipway::compile::npu_faults
