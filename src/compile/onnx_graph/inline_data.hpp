#pragma once

#include "base/error.hpp"
#include "compile/onnx_graph/model.hpp"

namespace slipway::compile::onnx_graph {

/// Brings the elements of tensors that lie in external files, or in views, into the model, for whoever computes with
/// weights: Value::floats() then knows all of them.
/// @error kInvalidArgument, kNotFound: as Model::read; kResourceExhausted: they are more than 1.5 GB, which one message
///        cannot hold
[[nodiscard]] base::Result<void> bring_data_inline(Model& model);

}  // namespace slipway::compile::onnx_graph
