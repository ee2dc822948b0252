#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "compile/onnx_graph/model.hpp"

namespace slipway::compile::onnx_graph {

/// Makes inputs take (and outputs give) channels last, NHWC in place of NCHW, with a Transpose at the boundary. Works
/// for tensors of rank 3 to 5, whose second axis is taken for the channels.
/// @error kInvalidArgument: no input (output) of that name (the known ones are named), named twice, a rank that is
///        unknown or not 3 to 5
[[nodiscard]] base::Result<void> channel_last_inputs(Model& model, const std::vector<std::string>& names);
[[nodiscard]] base::Result<void> channel_last_outputs(Model& model, const std::vector<std::string>& names);

}  // namespace slipway::compile::onnx_graph
