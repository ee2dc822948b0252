#include "compile/npu_faults/broadcast_faults.hpp"

#include <algorithm>

#include "compile/npu_faults/find_nodes.hpp"
#include "compile/npu_faults/probe_graph.hpp"
#include "compile/npu_faults/quantization_grid.hpp"
#include "compile/onnx_graph/element_type.hpp"

namespace slipway::compile::npu_faults {

using onnx_graph::Node;
using onnx_graph::Value;
using tensor::Shape;

int expand_data_of_slopes(onnx_graph::Rewriter& graph, const onnx_graph::InferredTypes& types) {
  int count = 0;
  for (Node* node : find_nodes(graph, "PRelu")) {
    Value* const data = node->input(0);
    if (data == nullptr || node->output(0) == nullptr) continue;
    const auto before = types.type(*data).shape;
    const auto after = types.type(*node->output(0)).shape;
    const bool is_fixed = after && std::ranges::all_of(*after, [](std::int64_t size) { return size > 0; });
    if (!before || !is_fixed || *before == *after) continue;
    Value& sizes = graph.add_initializer(node->scope(), data->name() + "_sizes",
                                         {.element_type = onnx_graph::element_type_of_dtype(tensor::Dtype::kInt64),
                                          .shape = {static_cast<std::int64_t>(after->size())},
                                          .bytes = std::as_bytes(std::span(*after))});
    Value* const expanded =
        graph.add_node(node->scope(), "Expand", {data, &sizes}, {data->name() + "_expanded"}).output(0);
    graph.set_input(*node, 0, on_grid(graph, expanded, grid_before(*data)));
    graph.set_type(*expanded, {types.type(*data).element_type, *after});
    ++count;
  }
  return count;
}

onnx_graph::Model wide_slope_probe() {
  ProbeGraph graph;
  auto* const data = graph.input(tensor::Dtype::kFloat32, {2, 1, 8});
  auto* const slopes = graph.input(tensor::Dtype::kFloat32, {1, 3, 1});
  return std::move(graph).with_output(graph.node("PRelu", {data, slopes}), tensor::Dtype::kFloat32, {2, 3, 8});
}

}  // namespace slipway::compile::npu_faults
