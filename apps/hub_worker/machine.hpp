#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "hub/domain/types.hpp"
#include "runtime/environment.hpp"

namespace slipway::worker {

/// This machine as the hub's users see it.
struct Machine {
  hub::domain::Device cpu;                         ///< its CPU, under its true name
  std::vector<hub::domain::Framework> frameworks;  ///< what is installed, as the libraries themselves say
};

/// Asks a child (`slipway-worker describe`) for names and versions, so that the agent never loads the libraries.
/// @error kUnavailable: ONNX Runtime is missing or cannot be opened
[[nodiscard]] base::Result<Machine> describe_machine(const std::filesystem::path& program,
                                                     const runtime::LibraryPaths& libraries);

/// "AMD EPYC 9V74, 2 threads" -> "amd-epyc-9v74-2-threads"
[[nodiscard]] std::string slug_of(std::string_view name);

/// "2.50.40.260831140417" -> "2.50"
[[nodiscard]] std::string api_version_of(std::string_view full_version);

}  // namespace slipway::worker
