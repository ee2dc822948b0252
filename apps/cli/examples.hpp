#pragma once

#include <array>
#include <span>
#include <string_view>

#include <CLI/CLI.hpp>

namespace slipway::cli {

struct Example {
  std::string_view what;     ///< in a few words
  std::string_view command;  ///< as it is typed
};

struct VerbExamples {
  std::string_view verb;  ///< "samurai replay" for a verb's part
  std::array<Example, 3> examples;
};

/// Of every verb that has a help of its own.
[[nodiscard]] std::span<const VerbExamples> examples();

/// Puts them at the end of each verb's help.
void add_examples(CLI::App& app);

}  // namespace slipway::cli
