#pragma once

#include "compile/onnx_graph/infer_types.hpp"
#include "compile/onnx_graph/model.hpp"

namespace slipway::compile::npu_faults {

/// A Pad that repeats the edge becomes Gathers.
int gather_edges(onnx_graph::Rewriter& graph, const onnx_graph::InferredTypes& types);
[[nodiscard]] onnx_graph::Model edge_pad_probe();  ///< float32[1,3,6,8] -> Pad

}  // namespace slipway::compile::npu_faults
