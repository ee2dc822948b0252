#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "base/error.hpp"
#include "tensor/shape.hpp"

namespace slipway::pipelines {

/// One network of a model: its file, and what the file itself does not say.
struct ModelFile {
  std::filesystem::path path;
  std::map<std::string, tensor::Quantization> quantization;  ///< by name of the input or output
};

/// Finds a model's network: a bare file stands for itself; a folder is read through its `model.yaml` (schema 1).
///
/// @param graph  the graph's name in model.yaml; may be empty when there is only one
/// @error kNotFound: no such file, folder, model.yaml or graph (the message lists the graphs there are);
///        kInvalidArgument: model.yaml is not YAML, has another schema, or lacks the file's name
[[nodiscard]] base::Result<ModelFile> find_model(const std::filesystem::path& model, const std::string& graph);

}  // namespace slipway::pipelines
