#pragma once

#include "compile/onnx_graph/infer_types.hpp"
#include "compile/onnx_graph/model.hpp"

namespace slipway::compile::npu_faults {

/// The data of a PRelu whose slopes have more rows is expanded first. ONNX has no such PRelu; ONNX Runtime does.
int expand_data_of_slopes(onnx_graph::Rewriter& graph, const onnx_graph::InferredTypes& types);
[[nodiscard]] onnx_graph::Model wide_slope_probe();  ///< float32[2,1,8], float32[1,3,1] -> PRelu

}  // namespace slipway::compile::npu_faults
