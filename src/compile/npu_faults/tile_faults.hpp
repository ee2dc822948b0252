#pragma once

#include "compile/onnx_graph/infer_types.hpp"
#include "compile/onnx_graph/model.hpp"

namespace slipway::compile::npu_faults {

/// A Tile that repeats nothing is taken out.
int drop_tiles_of_ones(onnx_graph::Rewriter& graph, const onnx_graph::InferredTypes& types);
[[nodiscard]] onnx_graph::Model tile_of_ones_probe();  ///< float32[1,1,4,8,8] -> Tile -> Reshape

}  // namespace slipway::compile::npu_faults
