#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "compile/onnx_graph/model.hpp"

namespace slipway::compile::onnx_graph {

/// Makes 64-bit integer inputs and outputs 32-bit ones: a Cast behind the input, a Cast before the output. What is
/// inside keeps its 64 bits; values outside of 32 bits are cut by the Cast.
/// @return  the names of the inputs and outputs that were changed
/// @error kInvalidArgument: an opset older than 7
[[nodiscard]] base::Result<std::vector<std::string>> truncate_64bit_io(Model& model);

}  // namespace slipway::compile::onnx_graph
