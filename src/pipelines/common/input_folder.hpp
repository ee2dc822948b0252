#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/error.hpp"

namespace slipway::pipelines {

/// What a folder of inputs holds.
struct InputFolder {
  std::vector<std::filesystem::path> files;  ///< images and videos by their names, numbers in them by their value
  std::string left_out;                      ///< a sentence on all else; empty: nothing. Hidden files are not named
};

/// @param is_recursive  what lies in folders below it too, folders that are links left out
/// @error kNotFound: neither images nor videos; kPermissionDenied
[[nodiscard]] base::Result<InputFolder> read_input_folder(const std::filesystem::path& folder, bool is_recursive);

}  // namespace slipway::pipelines
