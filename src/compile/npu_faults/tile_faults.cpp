#include "compile/npu_faults/tile_faults.hpp"

#include <algorithm>

#include "compile/npu_faults/replace_node.hpp"
#include "compile/onnx_graph/element_type.hpp"

namespace slipway::compile::npu_faults {

using onnx_graph::Node;
using onnx_graph::Rewriter;
using onnx_graph::Value;

namespace {

bool is_tile_of_ones(const Node& node) {
  if (!node.is("Tile") || node.input(1) == nullptr || !node.input(1)->is_constant()) return false;
  const auto repeats = node.input(1)->integers();
  return repeats && std::ranges::all_of(*repeats, [](std::int64_t repeat) { return repeat == 1; });
}

}  // namespace

int drop_tiles_of_ones(Rewriter& graph) {
  std::vector<Node*> found;
  for (auto* scope : graph.scopes()) {
    std::ranges::copy_if(scope->nodes(), std::back_inserter(found),
                         [](const Node* node) { return is_tile_of_ones(*node); });
  }
  for (Node* node : found) replace_node(graph, *node, "Identity", {node->input(0)});
  return static_cast<int>(found.size());
}

onnx_graph::Model tile_of_ones_probe() {
  const int float32 = onnx_graph::element_type_of_dtype(tensor::Dtype::kFloat32);
  const int int64 = onnx_graph::element_type_of_dtype(tensor::Dtype::kInt64);
  auto model = onnx_graph::Model::create(17, 8, "probe", "slipway");
  Rewriter graph(model);
  auto& main = graph.main();
  const std::vector<std::int64_t> ones(5, 1);
  const std::vector<std::int64_t> flat = {1, 4, 64};
  Value& input = graph.add_input(main, "x", {float32, tensor::Shape{1, 1, 4, 8, 8}});
  Value& repeats = graph.add_initializer(
      main, "repeats", {.element_type = int64, .shape = {5}, .bytes = std::as_bytes(std::span(ones))});
  Value& shape = graph.add_initializer(main, "shape",
                                       {.element_type = int64, .shape = {3}, .bytes = std::as_bytes(std::span(flat))});
  Node& tile = graph.add_node(main, "Tile", {&input, &repeats}, {"tiled"});
  Node& reshape = graph.add_node(main, "Reshape", {tile.output(0), &shape}, {"y"});
  graph.set_type(*reshape.output(0), {float32, tensor::Shape{1, 4, 64}});
  graph.add_output(*reshape.output(0));
  return model;
}

}  // namespace slipway::compile::npu_faults
