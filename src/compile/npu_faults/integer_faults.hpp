#pragma once

#include <string>
#include <vector>

#include "compile/onnx_graph/infer_types.hpp"
#include "compile/onnx_graph/model.hpp"

namespace slipway::compile::npu_faults {

/// Constants of 64 bits beyond 32 that the NPU would compute with. No other numbers stand for them.
[[nodiscard]] std::vector<std::string> wide_constants(onnx_graph::Rewriter& graph,
                                                      const onnx_graph::InferredTypes& types);
[[nodiscard]] onnx_graph::Model wide_constant_probe();  ///< int64[1,64] -> Add of 2^40

}  // namespace slipway::compile::npu_faults
