#include "compile/npu_faults/replace_by_gathers.hpp"

#include <algorithm>
#include <numeric>

#include "compile/npu_faults/quantization_grid.hpp"
#include "compile/npu_faults/replace_node.hpp"
#include "compile/onnx_graph/element_type.hpp"

namespace slipway::compile::npu_faults {

using onnx_graph::Value;

void replace_by_gathers(onnx_graph::Rewriter& graph, onnx_graph::Node& node, const PlacesOfAxes& places,
                        const tensor::Shape& input) {
  std::vector<std::size_t> axes;
  for (std::size_t axis = 0; axis < places.size(); ++axis) {
    std::vector<std::int64_t> as_they_are(static_cast<std::size_t>(input[axis]));
    std::iota(as_they_are.begin(), as_they_are.end(), 0);
    if (places[axis] != as_they_are) axes.push_back(axis);
  }
  Value* data = node.input(0);
  if (axes.empty()) return replace_node(graph, node, "Identity", {data});
  const std::string name = node.output(0)->name();
  const Grid grid = grid_before(*data);
  for (const std::size_t axis : axes) {
    const auto& wanted = places[axis];
    Value& indices = graph.add_initializer(node.scope(), name + "_places",
                                           {.element_type = onnx_graph::element_type_of_dtype(tensor::Dtype::kInt64),
                                            .shape = {static_cast<std::int64_t>(wanted.size())},
                                            .bytes = std::as_bytes(std::span(wanted))});
    const onnx_graph::Attributes attributes = {{"axis", static_cast<std::int64_t>(axis)}};
    if (axis == axes.back()) return replace_node(graph, node, "Gather", {data, &indices}, attributes);
    data = graph.add_node(node.scope(), "Gather", {data, &indices}, {name + "_part"}, attributes).output(0);
    data = on_grid(graph, data, grid);
  }
}

}  // namespace slipway::compile::npu_faults
