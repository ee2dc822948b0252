#pragma once

#include "compile/onnx_graph/infer_types.hpp"
#include "compile/onnx_graph/model.hpp"

namespace slipway::compile::npu_faults {

/// Cast(uint8 -> float32) becomes Cast(uint8 -> int32), Cast(int32 -> float32).
int cast_uint8_through_int32(onnx_graph::Rewriter& graph, const onnx_graph::InferredTypes& types);
[[nodiscard]] onnx_graph::Model uint8_to_float_probe();  ///< uint8[1,3,8,8] -> Cast

/// Cast(int32 or int64 -> bool) becomes Not(Equal(x, 0)); uint8 goes through int32 before.
int compare_integers_with_zero(onnx_graph::Rewriter& graph, const onnx_graph::InferredTypes& types);
[[nodiscard]] onnx_graph::Model integer_to_bool_probe();  ///< int32[1,64] -> Cast

}  // namespace slipway::compile::npu_faults
