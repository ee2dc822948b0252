#pragma once

#include "compile/onnx_graph/infer_types.hpp"
#include "compile/onnx_graph/model.hpp"

namespace slipway::compile::npu_faults {

/// A Clip of int32 or int64 whose bounds a float32 need not hold becomes Max and Min.
int clip_by_max_and_min(onnx_graph::Rewriter& graph, const onnx_graph::InferredTypes& types);
[[nodiscard]] onnx_graph::Model wide_clip_probe();  ///< int64[1,64] -> Mul by 100003 -> Clip to 2^24 + 3 on both sides

}  // namespace slipway::compile::npu_faults
