#include "compile/npu_faults/pad_faults.hpp"

#include <algorithm>

#include "compile/npu_faults/find_nodes.hpp"
#include "compile/npu_faults/probe_graph.hpp"
#include "compile/npu_faults/replace_by_gathers.hpp"

namespace slipway::compile::npu_faults {

using onnx_graph::Node;

namespace {

/// Nothing where a size is not known, or negative pads leave nothing to repeat.
PlacesOfAxes places_of(const tensor::Shape& shape, const std::vector<std::int64_t>& pads) {
  PlacesOfAxes places(shape.size());
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    const std::int64_t size = shape[axis];
    if (size < 1) return {};
    for (std::int64_t i = -pads[axis]; i < size + pads[axis + shape.size()]; ++i) {
      places[axis].push_back(std::clamp<std::int64_t>(i, 0, size - 1));
    }
    if (places[axis].empty()) return {};
  }
  return places;
}

}  // namespace

int gather_edges(onnx_graph::Rewriter& graph, const onnx_graph::InferredTypes& types) {
  int count = 0;
  for (Node* node : find_nodes(graph, "Pad")) {
    if (node->text("mode") != "edge" || node->input(0) == nullptr || node->input(3) != nullptr) continue;
    const auto shape = types.type(*node->input(0)).shape;
    auto pads = node->integers("pads");
    if (!pads && node->input(1) != nullptr) pads = types.integers(*node->input(1));
    if (!shape || !pads || pads->size() != 2 * shape->size()) continue;
    const PlacesOfAxes places = places_of(*shape, *pads);
    if (places.empty()) continue;
    replace_by_gathers(graph, *node, places, *shape);
    ++count;
  }
  return count;
}

onnx_graph::Model edge_pad_probe() {
  ProbeGraph graph;
  auto* const data = graph.input(tensor::Dtype::kFloat32, {1, 3, 6, 8});
  auto* const padded =
      graph.node("Pad", {data, graph.integers({0, 0, 1, 2, 0, 0, 2, 1})}, {{"mode", std::string("edge")}});
  return std::move(graph).with_output(padded, tensor::Dtype::kFloat32, {1, 3, 9, 11});
}

}  // namespace slipway::compile::npu_faults
