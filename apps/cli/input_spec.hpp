#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "base/error.hpp"
#include "compile/compile.hpp"

namespace slipway::cli {

/// Adds --input-spec to a verb. What is no spec is wrong use.
void add_input_spec_option(CLI::App& verb, std::vector<std::string>& texts);

/// Reads "image=1x3x224x224:float32"; without ":dtype" it is float32, and "count=" is a scalar.
/// @error kInvalidArgument: another form, an unknown dtype, a size that is no number from 1
[[nodiscard]] base::Result<compile::InputSpec> parse_input_spec(const std::string& text);
[[nodiscard]] base::Result<std::vector<compile::InputSpec>> parse_input_specs(const std::vector<std::string>& texts);

}  // namespace slipway::cli
