#include "compile/npu_faults/tile_faults.hpp"

#include <algorithm>

#include "compile/npu_faults/find_nodes.hpp"
#include "compile/npu_faults/probe_graph.hpp"
#include "compile/npu_faults/replace_node.hpp"

namespace slipway::compile::npu_faults {

using onnx_graph::Node;
using onnx_graph::Rewriter;

namespace {

bool is_tile_of_ones(const Node& node) {
  if (node.input(1) == nullptr || !node.input(1)->is_constant()) return false;
  const auto repeats = node.input(1)->integers();
  return repeats && std::ranges::all_of(*repeats, [](std::int64_t repeat) { return repeat == 1; });
}

}  // namespace

int drop_tiles_of_ones(Rewriter& graph, const onnx_graph::InferredTypes&) {
  std::vector<Node*> found;
  std::ranges::copy_if(find_nodes(graph, "Tile"), std::back_inserter(found),
                       [](const Node* node) { return is_tile_of_ones(*node); });
  for (Node* node : found) replace_node(graph, *node, "Identity", {node->input(0)});
  return static_cast<int>(found.size());
}

onnx_graph::Model tile_of_ones_probe() {
  ProbeGraph graph;
  auto* const data = graph.input(tensor::Dtype::kFloat32, {1, 1, 4, 8, 8});
  auto* const tiled = graph.node("Tile", {data, graph.integers({1, 1, 1, 1, 1})});
  auto* const flat = graph.node("Reshape", {tiled, graph.integers({1, 4, 64})});
  return std::move(graph).with_output(flat, tensor::Dtype::kFloat32, {1, 4, 64});
}

}  // namespace slipway::compile::npu_faults
