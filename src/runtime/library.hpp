#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "runtime/onnxruntime.hpp"

namespace slipway::runtime {

/// Opens libonnxruntime and hands its entry table to the C++ face. A process opens one build; the library stays open.
/// @error kNotFound, kUnavailable: cannot be opened, not ONNX Runtime, or older than the headers; kFailedPrecondition:
///        another build is already open in this process
[[nodiscard]] base::Result<const OrtApiBase*> open_library(const std::filesystem::path& path);

/// The newest API that a library of this version offers, which is its minor number: 24 of "1.24.1"; 0 of what is none.
[[nodiscard]] int newest_api_of(std::string_view version);

/// Qualcomm's build number inside a QNN library, e.g. "2.50.40.260831140417"; empty when there is none.
[[nodiscard]] std::string qairt_version_of(const std::filesystem::path& library);

}  // namespace slipway::runtime
