#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "pipelines/common/model_folder.hpp"
#include "pipelines/samurai/network.hpp"
#include "tensor/shape.hpp"

namespace slipway::pipelines::samurai {

/// @error kNotFound: a component is missing (named, with the command that writes it); kInvalidArgument: a bare file
[[nodiscard]] base::Result<void> check_components(const ModelFolder& folder);

/// @error kInvalidArgument: a value is missing or makes no sense (the key is named)
[[nodiscard]] base::Result<Constants> read_constants(const ModelFolder& folder);

/// Compares a graph's inputs and outputs with what a component of these sizes has. Free dimensions of outputs fit all.
/// @error kInvalidArgument: the graph, the tensor, expected and found are named
[[nodiscard]] base::Result<void> check_signature(const ModelFolder& folder, const std::string& name,
                                                 const Constants& constants,
                                                 const std::vector<tensor::TensorSpec>& inputs,
                                                 const std::vector<tensor::TensorSpec>& outputs);

/// The same for every memory attention graph, by what model.yaml says of it, without loading any.
[[nodiscard]] base::Result<void> check_described_attentions(const ModelFolder& folder, const Constants& constants);

}  // namespace slipway::pipelines::samurai
