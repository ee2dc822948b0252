#include "compile/npu_faults/clip_faults.hpp"

#include <cmath>

#include "compile/npu_faults/find_nodes.hpp"
#include "compile/npu_faults/integer_constant.hpp"
#include "compile/npu_faults/probe_graph.hpp"
#include "compile/npu_faults/replace_node.hpp"

namespace slipway::compile::npu_faults {

using onnx_graph::InferredTypes;
using onnx_graph::Node;
using onnx_graph::Rewriter;
using onnx_graph::Value;
using tensor::Dtype;

namespace {

/// Up to here float32 holds every integer.
constexpr double kExact = 1 << 24;

/// What is clipped to such a bound comes out right: what lies beyond becomes the bound.
bool is_exact(const Value* bound) {
  if (bound == nullptr || !bound->is_constant()) return false;
  const auto numbers = bound->integers();
  const auto number = numbers && numbers->size() == 1 ? std::optional<double>(numbers->front()) : bound->scalar();
  return number && std::abs(*number) <= kExact;
}

}  // namespace

int clip_by_max_and_min(Rewriter& graph, const InferredTypes& types) {
  int count = 0;
  for (Node* node : find_nodes(graph, "Clip")) {
    Value* const lowest = node->input(1);
    Value* const highest = node->input(2);
    const bool has_bounds = lowest != nullptr || highest != nullptr;
    if (!has_bounds || !holds_integers(node->input(0), types) || (is_exact(lowest) && is_exact(highest))) continue;
    ++count;
    if (highest == nullptr) {
      replace_node(graph, *node, "Max", {node->input(0), lowest});
      continue;
    }
    Value* raised = node->input(0);
    if (lowest != nullptr) {
      raised = graph.add_node(node->scope(), "Max", {raised, lowest}, {node->output(0)->name() + "_raised"}).output(0);
    }
    replace_node(graph, *node, "Min", {raised, highest});
  }
  return count;
}

onnx_graph::Model wide_clip_probe() {
  constexpr std::int64_t kBound = (1 << 24) + 3;
  ProbeGraph graph;
  auto* const number = graph.node("Mul", {graph.input(Dtype::kInt64, {1, 64}), graph.integers({100003})});
  auto* const clipped = graph.node("Clip", {number, graph.integer(-kBound), graph.integer(kBound)});
  return std::move(graph).with_output(clipped, Dtype::kInt64, {1, 64});
}

}  // namespace slipway::compile::npu_faults
