#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compile/onnx_graph/infer_types.hpp"
#include "compile/onnx_graph/rewriter.hpp"

namespace slipway::compile::npu_faults {

/// An initialiser, int32 or int64 as `element_type` says: a list, or a scalar where it is one number, which gives what
/// it is combined with no axis.
[[nodiscard]] onnx_graph::Value& integer_constant(onnx_graph::Rewriter& graph, onnx_graph::Scope& scope,
                                                  const std::string& name, int element_type,
                                                  const std::vector<std::int64_t>& values);

/// Whether a value holds int32 or int64, as far as is known.
[[nodiscard]] bool holds_integers(const onnx_graph::Value* value, const onnx_graph::InferredTypes& types);

}  // namespace slipway::compile::npu_faults
