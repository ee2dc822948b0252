#pragma once

#include "compile/onnx_graph/infer_types.hpp"
#include "compile/onnx_graph/model.hpp"

namespace slipway::compile::npu_faults {

/// A Sigmoid of float32 whose numbers are an output's becomes exp(min(x, 0)) / (1 + exp(-|x|)). Those inside of a
/// network stay: there the error is small beside the others of half precision, and every SiLU would be six nodes more.
int write_out_sigmoids_of_outputs(onnx_graph::Rewriter& graph, const onnx_graph::InferredTypes& types);
[[nodiscard]] onnx_graph::Model sigmoid_probe();  ///< small float32[1,4,8,8] -> Conv less 5 -> Sigmoid

}  // namespace slipway::compile::npu_faults
