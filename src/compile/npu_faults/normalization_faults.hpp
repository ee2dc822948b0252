#pragma once

#include <string>
#include <vector>

#include "compile/onnx_graph/infer_types.hpp"
#include "compile/onnx_graph/model.hpp"

namespace slipway::compile::npu_faults {

/// An InstanceNormalization of many numbers is computed on [1, rows, height, width], with height and width near each
/// other: the compiler's time grows with the longest axis and with the batch.
int fold_long_rows(onnx_graph::Rewriter& graph, const onnx_graph::InferredTypes& types);
/// Those whose row has no two factors near enough: a prime length.
[[nodiscard]] std::vector<std::string> rows_that_do_not_fold(onnx_graph::Rewriter& graph,
                                                             const onnx_graph::InferredTypes& types);
[[nodiscard]] onnx_graph::Model long_row_probe();  ///< float32[1,1,1058400] -> InstanceNormalization

}  // namespace slipway::compile::npu_faults
