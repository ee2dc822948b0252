#pragma once

#include <string>
#include <vector>

#include "compile/onnx_graph/infer_types.hpp"
#include "compile/onnx_graph/model.hpp"

namespace slipway::compile::npu_faults {

/// Reshapes of millions of numbers to pairs along the last axis, as rotary position codes are often written.
[[nodiscard]] std::vector<std::string> many_pairs(onnx_graph::Rewriter& graph, const onnx_graph::InferredTypes& types);
[[nodiscard]] onnx_graph::Model many_pairs_probe();  ///< float32[1,8192,256] turned pair by pair

}  // namespace slipway::compile::npu_faults
