#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "tensor/shape.hpp"

namespace slipway::cli {

/// Scales and zero points of a model's integer inputs and outputs, as its own nodes at the border say them. Empty for
/// what cannot be read: the session will say why.
/// @param model  an `.onnx` file
[[nodiscard]] std::map<std::string, tensor::Quantization> border_quantization(const std::filesystem::path& model);

}  // namespace slipway::cli
