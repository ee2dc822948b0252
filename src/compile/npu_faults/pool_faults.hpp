#pragma once

#include <string>
#include <vector>

#include "compile/onnx_graph/infer_types.hpp"
#include "compile/onnx_graph/model.hpp"

namespace slipway::compile::npu_faults {

/// An AveragePool whose last window reaches over the edge because its size is rounded up gets the missing places as
/// pads that are not counted.
int pad_last_windows(onnx_graph::Rewriter& graph, const onnx_graph::InferredTypes& types);
/// Those whose own pads are counted, so that further ones would be as well.
[[nodiscard]] std::vector<std::string> counted_last_windows(onnx_graph::Rewriter& graph,
                                                            const onnx_graph::InferredTypes& types);
[[nodiscard]] onnx_graph::Model last_window_probe();  ///< float32[1,4,7,7] -> AveragePool

}  // namespace slipway::compile::npu_faults
