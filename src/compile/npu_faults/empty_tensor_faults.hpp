#pragma once

#include <string>
#include <vector>

#include "compile/onnx_graph/infer_types.hpp"
#include "compile/onnx_graph/model.hpp"

namespace slipway::compile::npu_faults {

/// What has no elements is the same in every run: nodes that give only that become initialisers.
int fold_empty_tensors(onnx_graph::Rewriter& graph, const onnx_graph::InferredTypes& types);
/// Inputs and outputs without elements, and what is made of them otherwise.
[[nodiscard]] std::vector<std::string> empty_tensors(onnx_graph::Rewriter& graph,
                                                     const onnx_graph::InferredTypes& types);
[[nodiscard]] onnx_graph::Model empty_tensor_probe();  ///< float32[1,3,8] -> Slice to nothing -> Relu -> Concat

}  // namespace slipway::compile::npu_faults
