#pragma once

#include <filesystem>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "apps/cli/input_spec.hpp"
#include "base/error.hpp"
#include "compile/compile.hpp"

namespace slipway::cli {

/// Moves what was compiled from its work folder to where the user wants it. A path with the target's own extension
/// (.onnx, .bin, .dlc) names the file, and a context binary's wrapper gets the same name with .onnx; any other path
/// names a folder.
/// @param report  of a compile; its paths are changed to the new places
/// @error kInvalidArgument: a file is asked for but the model needs a folder
[[nodiscard]] base::Result<void> place_results(nlohmann::ordered_json& report, compile::Target target,
                                               const std::filesystem::path& out);

/// The result for machines: standing, warnings, artifact, wrapper, inputs, outputs, placement, agreement, estimate,
/// traffic, metadata.
[[nodiscard]] nlohmann::ordered_json report_of(const compile::CompileResult& result, compile::Target target);

/// Whether the result differs from its source, or was not compared although nobody asked for that: exit status 1, the
/// result is kept.
[[nodiscard]] bool is_alarm(const nlohmann::ordered_json& report);

/// The same for people, what nobody may overlook first. What the emulator or the compiler's cost model says is marked
/// as that.
[[nodiscard]] std::string text_of(const nlohmann::ordered_json& report);

}  // namespace slipway::cli
