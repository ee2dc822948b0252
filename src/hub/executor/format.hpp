#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "hub/domain/types.hpp"

namespace slipway::hub::executor {

/// What some bytes are, as far as their own marks tell. Names and declared types are never asked.
enum class Format {
  kEmpty,
  kTflite,
  kHdf5,
  kTorchScript,
  kTorchExportedProgram,
  kModelFolder,  ///< a zip of a folder that holds an .onnx
  kOtherZip,     ///< a readable zip of something else; a DLC is one
  kDamagedZip,
  kText,      ///< printable text: a web page, a Git LFS pointer …
  kUnmarked,  ///< no mark: ONNX (which has none), a context binary, or noise
};
[[nodiscard]] Format format_of(const std::filesystem::path& file);

/// "a TFLite model", for messages.
[[nodiscard]] std::string_view describe(Format format);
/// "an ONNX model", for messages.
[[nodiscard]] std::string_view describe(domain::ModelType type);

/// Inputs or outputs as the hub keeps them, in valid UTF-8 and without the quantisation that a file
/// may name.
[[nodiscard]] std::vector<domain::ModelTensor> tensors_of(const std::vector<tensor::TensorSpec>& specs);

/// The .onnx of a model as uploaded: the file itself, or the one in its zip, which is unpacked below `scratch`.
/// The folder may hold exactly one .onnx and at most one .data, one .encodings and one .bin, nothing else.
/// @error kInvalidArgument: the zip is refused (see unpack_folder), or holds something else (it is named)
[[nodiscard]] base::Result<std::filesystem::path> onnx_file_of(const std::filesystem::path& file,
                                                               const std::filesystem::path& scratch);

}  // namespace slipway::hub::executor
