#pragma once

#include <optional>

#include "compile/onnx_graph/rewriter.hpp"

namespace slipway::compile::npu_faults {

/// The element type of a value, where the file says it, or where what makes it hands the type of its first input on
/// (Transpose, Reshape, Slice …). Files without inner types are common.
[[nodiscard]] std::optional<int> element_type_of(const onnx_graph::Value* value);

}  // namespace slipway::compile::npu_faults
