#pragma once

#include <string>
#include <vector>

#include "sandbox/run.hpp"

namespace slipway::sandbox::internal {

/// bwrap's own path, or an empty one.
[[nodiscard]] std::filesystem::path bubblewrap_program();

/// The command line that runs `command` in bubblewrap.
[[nodiscard]] std::vector<std::string> bubblewrap_arguments(const Command& command);

/// Folders of the system that programs and libraries are read from.
[[nodiscard]] const std::vector<std::filesystem::path>& system_folders();
/// Single files of the system that the loader and the C library read.
[[nodiscard]] const std::vector<std::filesystem::path>& system_files();

}  // namespace slipway::sandbox::internal
