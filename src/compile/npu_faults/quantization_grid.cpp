#include "compile/npu_faults/quantization_grid.hpp"

namespace slipway::compile::npu_faults {

using onnx_graph::Node;
using onnx_graph::Value;

namespace {

Grid grid_of(const Node& node) {
  Grid grid(node.inputs().begin() + 1, node.inputs().end());
  // One scale for each channel names an axis, which a rewrite may move.
  const bool is_whole = grid.size() == 2 && grid[0] != nullptr && grid[1] != nullptr && grid[0]->scalar();
  return is_whole ? grid : Grid{};
}

}  // namespace

Grid grid_before(const Value& value) {
  const Node* const node = value.producer();
  return node != nullptr && node->is("DequantizeLinear") ? grid_of(*node) : Grid{};
}

Grid grid_after(const Value& value) {
  if (value.is_output() || value.uses().size() != 1) return {};
  const Node& node = *value.uses().front().node;
  return node.is("QuantizeLinear") ? grid_of(node) : Grid{};
}

Value* on_grid(onnx_graph::Rewriter& graph, Value* value, const Grid& grid) {
  if (grid.empty()) return value;
  const auto add = [&](const char* op_type, const char* suffix, Value* input) {
    return graph.add_node(value->scope(), op_type, {input, grid[0], grid[1]}, {value->name() + suffix}).output(0);
  };
  return add("DequantizeLinear", "_dequantized", add("QuantizeLinear", "_quantized", value));
}

}  // namespace slipway::compile::npu_faults
