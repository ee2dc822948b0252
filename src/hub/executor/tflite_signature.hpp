#pragma once

#include <filesystem>
#include <vector>

#include "base/error.hpp"
#include "tensor/shape.hpp"

namespace slipway::hub::executor {

/// Inputs and outputs of a TFLite model's first subgraph.
struct TfliteSignature {
  std::vector<tensor::TensorSpec> inputs, outputs;  ///< types that tensor::Dtype lacks are left out
  std::size_t operators = 0;
  std::string description;
};

/// Reads the signature of a .tflite file and checks that every buffer it names lies inside the file.
/// @error kInvalidArgument: not TFLite, truncated, or an offset that leaves the file
/// @cost  maps the file; touches the tables, not the weights
[[nodiscard]] base::Result<TfliteSignature> read_tflite_signature(const std::filesystem::path& path);

}  // namespace slipway::hub::executor
