#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "hub/domain/types.hpp"

namespace slipway::cli {

/// The device of this name in the catalogue: $SLIPWAY_CATALOGUE (a folder), else data/catalogue of the source
/// tree, else ../share/slipway/catalogue beside the executable.
/// @param own_files  a user's files with the same columns, read after the catalogue's
/// @error kNotFound: no catalogue (the places are named), or no such device (the nearest name is); as read_catalogue
[[nodiscard]] base::Result<hub::domain::Device> find_device(const std::string& name,
                                                            const std::vector<std::filesystem::path>& own_files);

}  // namespace slipway::cli
