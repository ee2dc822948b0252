#pragma once

#include <string>
#include <vector>

#include "compile/onnx_graph/infer_types.hpp"
#include "compile/onnx_graph/model.hpp"

namespace slipway::compile::npu_faults {

/// A Mod of int32 or int64 becomes what is left by a Div, with the sign that Mod gives it.
int subtract_quotients(onnx_graph::Rewriter& graph, const onnx_graph::InferredTypes& types);
/// Mods of other integers, for which the compiler has no Div.
[[nodiscard]] std::vector<std::string> remainders_of_other_types(onnx_graph::Rewriter& graph,
                                                                 const onnx_graph::InferredTypes& types);
[[nodiscard]] onnx_graph::Model remainder_probe();  ///< int32[1,64] -> Mul by 10007 -> Mod by 7

}  // namespace slipway::compile::npu_faults
