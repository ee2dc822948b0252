#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "compile/onnx_graph/model.hpp"

namespace slipway::compile::onnx_graph {

/// Checks what later steps and ONNX Runtime rely on: a graph with outputs and an opset, tensors that hold the bytes
/// their shapes claim, external data (weights and context binaries) inside the model's folder, no function that calls
/// itself. Not a proof that the model runs: that is for the sandboxed process that loads it.
/// @return  the external files, each once, in the order of first use, as plain relative paths
/// @error kInvalidArgument, kNotFound: the message names the tensor, node or file
[[nodiscard]] base::Result<std::vector<std::string>> check_model(const Model& model);

}  // namespace slipway::compile::onnx_graph
