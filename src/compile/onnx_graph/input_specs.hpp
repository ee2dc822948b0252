#pragma once

#include <vector>

#include "base/error.hpp"
#include "compile/onnx_graph/model.hpp"
#include "tensor/shape.hpp"

namespace slipway::compile::onnx_graph {

/// Gives the inputs the names and sizes the user asks for: one spec an input. When all names are the model's own, specs
/// are matched by name; otherwise they rename the inputs in order. Dynamic dimensions take the spec's size, fixed ones
/// must agree; the dtype must agree. An inner value that already has a new name steps aside.
/// @error kInvalidArgument: another number of inputs, dtype, rank or fixed size (the input, expected and found are
///        named), a dimension below 1, a name given twice or taken by an output
[[nodiscard]] base::Result<void> apply_input_specs(Model& model, const std::vector<tensor::TensorSpec>& specs);

}  // namespace slipway::compile::onnx_graph
