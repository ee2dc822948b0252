#pragma once

#include "compile/onnx_graph/model.hpp"
#include "compile/onnx_graph/rewriter.hpp"

namespace slipway::compile::npu_faults {

/// A Tile that repeats nothing is taken out.
int drop_tiles_of_ones(onnx_graph::Rewriter& graph);
[[nodiscard]] onnx_graph::Model tile_of_ones_probe();  ///< float32[1,1,4,8,8] -> Tile -> Reshape

}  // namespace slipway::compile::npu_faults
