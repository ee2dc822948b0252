#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "hub/domain/types.hpp"
#include "tensor/shape.hpp"

namespace slipway::hub::executor {

/// What an archive of PyTorch says of itself: inputs and outputs where it declares them, parameters, operators by
/// count, what it was made with. TorchScript declares no inputs; those of its example are among the facts.
/// @param format  "torchscript" or "torch exported program"
[[nodiscard]] domain::Inspection inspect_torch_model(const std::filesystem::path& file, const std::string& format);

struct ConvertedModel {
  std::filesystem::path onnx;  ///< weights beside it when they are large
  std::string remark;          ///< for people: what was converted, into how much
};

/// Converts an archive of PyTorch to ONNX, in a folder that exists.
/// @param input_specs   name, dtype and sizes of each input in order; TorchScript needs them
/// @param output_names  one for each output, or none
/// @error as convert::convert
[[nodiscard]] base::Result<ConvertedModel> convert_torch_model(const std::filesystem::path& file,
                                                               const std::vector<tensor::TensorSpec>& input_specs,
                                                               const std::vector<std::string>& output_names,
                                                               const std::filesystem::path& folder);

}  // namespace slipway::hub::executor
