#pragma once

#include "compile/onnx_graph/infer_types.hpp"
#include "compile/onnx_graph/model.hpp"

namespace slipway::compile::npu_faults {

/// A nearest Resize becomes Gathers where the compiler would pick other places than ONNX does: it knows one rounding
/// for each kind of coordinates, whatever `nearest_mode` says.
int gather_nearest_places(onnx_graph::Rewriter& graph, const onnx_graph::InferredTypes& types);
[[nodiscard]] onnx_graph::Model nearest_resize_probe();  ///< float32[1,3,6,8] -> Resize to 9 x 13, half pixel

}  // namespace slipway::compile::npu_faults
