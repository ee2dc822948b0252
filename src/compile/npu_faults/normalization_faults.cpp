#include "compile/npu_faults/normalization_faults.hpp"

#include <fmt/format.h>

#include "compile/npu_faults/find_nodes.hpp"
#include "compile/npu_faults/probe_graph.hpp"
#include "compile/npu_faults/quantization_grid.hpp"
#include "compile/npu_faults/replace_node.hpp"
#include "compile/onnx_graph/element_type.hpp"

namespace slipway::compile::npu_faults {

using onnx_graph::InferredTypes;
using onnx_graph::Node;
using onnx_graph::Rewriter;
using onnx_graph::Value;
using tensor::Shape;

namespace {

/// Below it the compiler takes less than a second.
constexpr std::int64_t kManyNormalized = 1 << 16;
/// A width up to which an axis costs nothing worth a rewrite.
constexpr std::int64_t kLongAxis = 1 << 12;

struct Row {
  std::int64_t batch, channels, height, width;
  [[nodiscard]] bool folds() const { return width <= kLongAxis || height > 1 || batch > 1; }
};

/// How a normalization would be folded; nothing where it need not be, or its sizes are not known.
std::optional<Row> folded(const Node& node, const InferredTypes& types) {
  const auto shape = node.input(0) == nullptr ? std::nullopt : types.type(*node.input(0)).shape;
  if (!shape || shape->size() < 3) return std::nullopt;
  const auto all = tensor::element_count(*shape);
  if (!all || *all < kManyNormalized || (*shape)[1] < 1) return std::nullopt;
  Row row{.batch = (*shape)[0], .channels = (*shape)[1], .height = 1, .width = 1};
  row.width = *all / (row.batch * row.channels);
  std::int64_t longest = 0;
  for (std::size_t axis = 2; axis < shape->size(); ++axis) longest = std::max(longest, (*shape)[axis]);
  if (row.batch == 1 && longest <= kLongAxis) return std::nullopt;
  for (std::int64_t height = 2; height * height <= row.width; ++height) {
    if (row.width % height == 0) row.height = height;
  }
  row.width /= row.height;
  return row;
}

Value* sizes_of(Rewriter& graph, const Node& node, const Shape& shape) {
  return &graph.add_initializer(node.scope(), node.output(0)->name() + "_sizes",
                                {.element_type = onnx_graph::element_type_of_dtype(tensor::Dtype::kInt64),
                                 .shape = {static_cast<std::int64_t>(shape.size())},
                                 .bytes = std::as_bytes(std::span(shape))});
}

/// Scale or bias, once for each row of the batch.
Value* repeated(Rewriter& graph, Value* values, std::int64_t times) {
  if (times == 1) return values;
  const std::vector<float> once = *values->floats();
  std::vector<float> all;
  for (std::int64_t i = 0; i < times; ++i) all.insert(all.end(), once.begin(), once.end());
  return &graph.add_initializer(values->scope(), values->name() + "_rows",
                                {.element_type = onnx_graph::element_type_of_dtype(tensor::Dtype::kFloat32),
                                 .shape = {static_cast<std::int64_t>(all.size())},
                                 .bytes = std::as_bytes(std::span(all))});
}

void fold(Rewriter& graph, Node& node, const Row& row, const Shape& shape) {
  Value& output = *node.output(0);
  const std::string name = output.name();
  const Grid before = grid_before(*node.input(0));
  const Grid after = grid_after(output);
  // A scale that is quantised or computed cannot be repeated here: its rows stay those of a batch.
  const std::int64_t times = node.input(1)->floats() && node.input(2)->floats() ? row.batch : 1;
  Value* sizes = sizes_of(graph, node, {row.batch / times, row.channels * times, row.height, row.width});
  Value* data = graph.add_node(node.scope(), "Reshape", {node.input(0), sizes}, {name + "_folded"}).output(0);
  data = on_grid(graph, data, before);
  const auto epsilon = node.real("epsilon");
  const onnx_graph::Attributes attributes =
      epsilon ? onnx_graph::Attributes{{"epsilon", *epsilon}} : onnx_graph::Attributes{};
  const std::vector<Value*> inputs = {data, repeated(graph, node.input(1), times),
                                      repeated(graph, node.input(2), times)};
  data = graph.add_node(node.scope(), "InstanceNormalization", inputs, {name + "_normal"}, attributes).output(0);
  data = on_grid(graph, data, after);
  replace_node(graph, node, "Reshape", {data, sizes_of(graph, node, shape)});
}

}  // namespace

int fold_long_rows(Rewriter& graph, const InferredTypes& types) {
  int count = 0;
  for (Node* node : find_nodes(graph, "InstanceNormalization")) {
    const auto row = folded(*node, types);
    if (!row || !row->folds() || node->inputs().size() != 3) continue;
    fold(graph, *node, *row, *types.type(*node->input(0)).shape);
    ++count;
  }
  return count;
}

std::vector<std::string> rows_that_do_not_fold(Rewriter& graph, const InferredTypes& types) {
  std::vector<std::string> found;
  for (const Node* node : find_nodes(graph, "InstanceNormalization")) {
    const auto row = folded(*node, types);
    if (!row || row->folds()) continue;
    found.push_back(fmt::format("InstanceNormalization '{}' of rows of {} numbers, which is no product of two sizes",
                                node->name(), row->width));
  }
  return found;
}

onnx_graph::Model long_row_probe() {
  constexpr std::int64_t kLength = 1058400;  // of the first layer of htdemucs, for a second of sound
  ProbeGraph graph;
  auto* const data = graph.input(tensor::Dtype::kFloat32, {1, 1, kLength});
  auto* const normal = graph.node("InstanceNormalization", {data, graph.floats({1.25F}), graph.floats({-0.5F})});
  return std::move(graph).with_output(normal, tensor::Dtype::kFloat32, {1, 1, kLength});
}

}  // namespace slipway::compile::npu_faults
