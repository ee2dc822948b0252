#pragma once

#include <vector>

#include "compile/onnx_graph/rewriter.hpp"

namespace slipway::compile::npu_faults {

/// Scale and zero point with which a value is quantised; empty: it is not.
using Grid = std::vector<onnx_graph::Value*>;
[[nodiscard]] Grid grid_before(const onnx_graph::Value& value);  ///< of the DequantizeLinear that makes it
[[nodiscard]] Grid grid_after(const onnx_graph::Value& value);   ///< of the QuantizeLinear that is all that reads it

/// Quantises and dequantises a value, as the compiler wants it between two nodes of a quantised graph; the value
/// itself where the grid is empty. Numbers that are on the grid stay what they are.
[[nodiscard]] onnx_graph::Value* on_grid(onnx_graph::Rewriter& graph, onnx_graph::Value* value, const Grid& grid);

}  // namespace slipway::compile::npu_faults
