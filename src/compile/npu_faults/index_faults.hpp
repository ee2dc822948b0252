#pragma once

#include "compile/onnx_graph/infer_types.hpp"
#include "compile/onnx_graph/model.hpp"

namespace slipway::compile::npu_faults {

/// Indices that are computed and may count from the end get the size added where they are negative. Constant ones the
/// compiler reads rightly, and those of GatherND too.
int count_indices_from_the_start(onnx_graph::Rewriter& graph, const onnx_graph::InferredTypes& types);
[[nodiscard]] onnx_graph::Model negative_index_probe();  ///< float32[400,2], int32[64,2] -> GatherElements

}  // namespace slipway::compile::npu_faults
