#pragma once

#include <filesystem>
#include <string>

#include "runtime/automatic_choice.hpp"

namespace slipway::runtime {

/// All that a measured choice depends on, as text: contents of the models, machine, versions, what was asked.
/// @error as base::sha256_hex_of_file
[[nodiscard]] base::Result<std::string> choice_key(const AutomaticRequest& request);

/// The file of a key.
[[nodiscard]] std::filesystem::path choice_file(const std::filesystem::path& folder, const std::string& key);

/// @error kNotFound: nothing is kept; kDataLoss: the file is not one of ours, or of another key
[[nodiscard]] base::Result<AutomaticChoice> read_choice(const std::filesystem::path& file, const std::string& key);

/// @error as base::write_file_durably
[[nodiscard]] base::Result<void> write_choice(const AutomaticChoice& choice, const std::string& key);

}  // namespace slipway::runtime
