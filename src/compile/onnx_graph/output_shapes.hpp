#pragma once

#include <vector>

#include "compile/onnx_graph/model.hpp"
#include "tensor/shape.hpp"

namespace slipway::compile::onnx_graph {

/// Fills in output sizes that the file leaves open, from a runtime's shape inference. Specs are matched by name; only
/// open ranks and dimensions are filled.
void complete_output_shapes(Model& model, const std::vector<tensor::TensorSpec>& inferred);

}  // namespace slipway::compile::onnx_graph
