#pragma once

#include <vector>

#include "compile/onnx_graph/model.hpp"
#include "tensor/shape.hpp"

namespace slipway::compile::onnx_graph {

/// Fills in what the file leaves open of its outputs, from a runtime's inference: element type, rank, sizes. Specs are
/// matched by name.
void complete_output_types(Model& model, const std::vector<tensor::TensorSpec>& inferred);

}  // namespace slipway::compile::onnx_graph
