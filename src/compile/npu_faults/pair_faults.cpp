#include "compile/npu_faults/pair_faults.hpp"

#include <fmt/format.h>

#include "compile/npu_faults/find_nodes.hpp"
#include "compile/npu_faults/probe_graph.hpp"
#include "compile/onnx_graph/element_type.hpp"

namespace slipway::compile::npu_faults {

using onnx_graph::InferredTypes;
using onnx_graph::Rewriter;
using tensor::Dtype;

namespace {

/// Half as many take the compiler less than a second of processor time, these more than ten.
constexpr std::int64_t kManyNumbers = 1 << 21;

}  // namespace

std::vector<std::string> many_pairs(Rewriter& graph, const InferredTypes& types) {
  std::vector<std::string> found;
  for (const auto* node : find_nodes(graph, "Reshape")) {
    const auto [element_type, shape] = types.type(*node->output(0));
    const bool is_float = element_type == onnx_graph::element_type_of_dtype(Dtype::kFloat32);
    if (!is_float || !shape || shape->size() < 4 || shape->back() != 2) continue;
    const auto numbers = tensor::element_count(*shape);
    if (!numbers || *numbers < kManyNumbers) continue;
    found.push_back(
        fmt::format("Reshape '{}' to {} pairs (a rotation of them written as a product with a constant matrix "
                    "compiles in seconds)",
                    node->name(), *numbers / 2));
  }
  return found;
}

onnx_graph::Model many_pairs_probe() {
  constexpr std::int64_t kRows = 8192, kWidth = 256;
  ProbeGraph graph;
  auto* const data = graph.input(Dtype::kFloat32, {1, kRows, kWidth});
  auto* const last = graph.integers({-1});
  auto* const pairs = graph.node("Reshape", {data, graph.integers({1, kRows, kWidth / 2, 2})});
  const onnx_graph::Attributes along = {{"axis", std::int64_t{3}}};
  auto* const second = graph.node("Neg", {graph.node("Gather", {pairs, graph.integer(1)}, along)});
  auto* const first = graph.node("Gather", {pairs, graph.integer(0)}, along);
  auto* const turned =
      graph.node("Concat", {graph.node("Unsqueeze", {second, last}), graph.node("Unsqueeze", {first, last})}, along);
  auto* const rows = graph.node("Reshape", {turned, graph.integers({1, kRows, kWidth})});
  auto* const sum = graph.node("Add", {graph.node("Mul", {data, data}), graph.node("Mul", {rows, data})});
  return std::move(graph).with_output(sum, Dtype::kFloat32, {1, kRows, kWidth});
}

}  // namespace slipway::compile::npu_faults
