#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "compile/onnx_graph/model.hpp"

namespace slipway::compile::onnx_graph {

/// Renames the outputs in order; every one must be named. An inner value that already has a new name steps aside.
/// @error kInvalidArgument: another number of names than outputs (both are named), a name that is empty, given twice or
///        taken by an input
[[nodiscard]] base::Result<void> rename_outputs(Model& model, const std::vector<std::string>& output_names);

}  // namespace slipway::compile::onnx_graph
