#include "compile/npu_faults/pool_faults.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "compile/npu_faults/find_nodes.hpp"
#include "compile/npu_faults/probe_graph.hpp"

namespace slipway::compile::npu_faults {

using onnx_graph::InferredTypes;
using onnx_graph::Node;
using Integers = std::vector<std::int64_t>;

namespace {

/// Pads with which no size is rounded; nothing where the last windows fit as it is, or something is not known.
std::optional<Integers> pads_to_the_end(const Node& node, const InferredTypes& types) {
  if (node.integer("ceil_mode").value_or(0) == 0 || node.input(0) == nullptr) return std::nullopt;
  const auto shape = types.type(*node.input(0)).shape;
  const auto kernel = node.integers("kernel_shape");
  const std::string auto_pad = node.text("auto_pad").value_or("NOTSET");
  if (!shape || !kernel || shape->size() != kernel->size() + 2 || auto_pad != "NOTSET") return std::nullopt;
  const std::size_t axes = kernel->size();
  const auto strides = node.integers("strides").value_or(Integers(axes, 1));
  const auto dilations = node.integers("dilations").value_or(Integers(axes, 1));
  const auto before = node.integers("pads").value_or(Integers(2 * axes, 0));
  if (strides.size() != axes || dilations.size() != axes || before.size() != 2 * axes) return std::nullopt;
  Integers pads = before;
  for (std::size_t i = 0; i < axes; ++i) {
    const std::int64_t size = (*shape)[i + 2], stride = strides[i];
    if (size < 1 || stride < 1) return std::nullopt;
    const std::int64_t room = size + pads[i] + pads[i + axes] - (dilations[i] * ((*kernel)[i] - 1) + 1);
    if (room < 0 || room % stride == 0) continue;
    const std::int64_t last = (room / stride + 1) * stride;
    const bool begins_outside = last >= size + pads[i];  // … which is no window
    pads[i + axes] += begins_outside ? 0 : last - room;
  }
  return pads == before ? std::nullopt : std::optional(pads);
}

bool counts_pads(const Node& node) {
  const auto pads = node.integers("pads").value_or(Integers());
  return node.integer("count_include_pad").value_or(0) != 0 &&
         std::ranges::any_of(pads, [](std::int64_t pad) { return pad != 0; });
}

}  // namespace

int pad_last_windows(onnx_graph::Rewriter& graph, const InferredTypes& types) {
  int count = 0;
  for (Node* node : find_nodes(graph, "AveragePool")) {
    const auto pads = pads_to_the_end(*node, types);
    if (!pads || counts_pads(*node)) continue;
    node->set_attribute("pads", *pads);
    node->set_attribute("ceil_mode", std::int64_t{0});
    node->set_attribute("count_include_pad", std::int64_t{0});
    ++count;
  }
  return count;
}

std::vector<std::string> counted_last_windows(onnx_graph::Rewriter& graph, const InferredTypes& types) {
  std::vector<std::string> found;
  for (const Node* node : find_nodes(graph, "AveragePool")) {
    if (!pads_to_the_end(*node, types) || !counts_pads(*node)) continue;
    found.push_back(fmt::format("AveragePool '{}' rounds its size up and counts its pads", node->name()));
  }
  return found;
}

onnx_graph::Model last_window_probe() {
  ProbeGraph graph;
  auto* const pooled =
      graph.node("AveragePool", {graph.input(tensor::Dtype::kFloat32, {1, 4, 7, 7})},
                 {{"kernel_shape", Integers{2, 2}}, {"strides", Integers{2, 2}}, {"ceil_mode", std::int64_t{1}}});
  return std::move(graph).with_output(pooled, tensor::Dtype::kFloat32, {1, 4, 4, 4});
}

}  // namespace slipway::compile::npu_faults
