#pragma once

#include <string_view>

#include "base/error.hpp"
#include "compile/onnx_graph/model.hpp"

namespace slipway::compile::onnx_graph {

/// The name that model folders give to their one file of external data.
inline constexpr std::string_view kDataFileName = "model.data";

/// Writes the model to `path` with all its external weights in one file named kDataFileName beside it, however many
/// files they came in. A model without external data gets none.
/// @return  whether a data file was written
/// @error as Model::write
[[nodiscard]] base::Result<bool> write_with_one_data_file(const Model& model, const std::filesystem::path& path);

}  // namespace slipway::compile::onnx_graph
