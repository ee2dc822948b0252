#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/ids.hpp"
#include "hub/domain/hub.hpp"

namespace slipway::apps::hub_server {

/// The hub of a data folder over the stores chosen here: SQLite for rows, files for bytes.
struct Stores {
  base::SystemClock clock;
  base::RandomIdSource ids;
  std::unique_ptr<hub::domain::RowStore> rows;
  std::unique_ptr<hub::domain::BlobStore> blobs;
  std::unique_ptr<hub::domain::Hub> hub;
};

/// Opens a data folder, making what is missing in it.
/// @param devices  CSV files of further devices, read after the catalogue that comes with the program
/// @error of the stores and the catalogue
[[nodiscard]] base::Result<std::unique_ptr<Stores>> open_stores(const std::filesystem::path& folder,
                                                                const std::vector<std::filesystem::path>& devices);

/// @error kNotFound: the folder holds no hub
[[nodiscard]] base::Result<void> require_hub(const std::filesystem::path& data);

}  // namespace slipway::apps::hub_server
