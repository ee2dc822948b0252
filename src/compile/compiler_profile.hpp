#pragma once

#include <filesystem>
#include <optional>

#include "compile/compile.hpp"

namespace slipway::compile {

/// What Qualcomm's compiler writes about a graph it has just compiled.
struct CompilerProfile {
  std::optional<CompilerEstimate> estimate;
  std::optional<CompilerTraffic> traffic;
};

/// Reads the profile CSV that the QNN provider writes while compiling (`profiling_level=basic`). Only the compiler's
/// own predictions are taken, summed over graphs; measured rows of the emulator are left where they are.
/// @error kNotFound, kInvalidArgument: no such file, no header that names the columns
[[nodiscard]] base::Result<CompilerProfile> read_compiler_profile(const std::filesystem::path& csv);

}  // namespace slipway::compile
