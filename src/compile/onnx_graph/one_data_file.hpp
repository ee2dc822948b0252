#pragma once

#include <string_view>

#include "base/error.hpp"
#include "compile/onnx_graph/model.hpp"

namespace slipway::compile::onnx_graph {

/// The name that model folders give to their one file of external data.
inline constexpr std::string_view kDataFileName = "model.data";

/// What an ONNX file may have before its weights move out: well below the 2 GiB that no protobuf can pass.
inline constexpr std::uint64_t kLargestFileBytes = 1'500'000'000;

/// Writes the model to `path` with all its external weights in one file named kDataFileName beside it, however many
/// files they came in. A model without external data gets none, unless its file, views included, would be larger than
/// `largest_file_bytes`: then every tensor of a kibibyte or more moves there.
/// @return  whether a data file was written
/// @error as Model::write
[[nodiscard]] base::Result<bool> write_with_one_data_file(const Model& model, const std::filesystem::path& path,
                                                          std::uint64_t largest_file_bytes = kLargestFileBytes);

}  // namespace slipway::compile::onnx_graph
