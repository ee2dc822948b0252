#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

namespace slipway::cli {

/// Options of a parsed verb that were given and change nothing beside the others: "--seed has no effect without
/// --shifts". What a verb refuses is not among them.
[[nodiscard]] std::vector<std::string> options_without_effect(const CLI::App& verb);

/// Whether the table says where an option ("--seed") has effect. Every option of every verb must stand there.
[[nodiscard]] bool has_effect_rule(std::string_view verb, std::string_view option);

}  // namespace slipway::cli
