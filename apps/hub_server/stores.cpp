#include "apps/hub_server/stores.hpp"

#include <utility>

#include "base/files.hpp"
#include "hub/domain/devices.hpp"
#include "hub/storage/files/file_blob_store.hpp"
#include "hub/storage/sqlite/sqlite_store.hpp"

namespace slipway::apps::hub_server {
namespace {

namespace fs = std::filesystem;

/// The catalogue beside the installed program, or that of the source tree the program was built in.
base::Result<fs::path> catalogue_folder() {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error).parent_path();
  for (const fs::path& folder :
       {program / "../share/slipway/catalogue", program / "../../data/catalogue", fs::path(SLIPWAY_CATALOGUE)}) {
    if (fs::exists(folder / "devices.csv", error)) return fs::weakly_canonical(folder, error);
  }
  return base::fail(base::Code::kNotFound,
                    "the device catalogue was found neither in ../share/slipway/catalogue beside {} "
                    "nor in {}",
                    program.string(), SLIPWAY_CATALOGUE);
}

}  // namespace

base::Result<std::unique_ptr<Stores>> open_stores(const fs::path& folder, const std::vector<fs::path>& devices) {
  auto stores = std::make_unique<Stores>();
  SLIPWAY_ASSIGN(const fs::path catalogue, catalogue_folder());
  std::vector<fs::path> files = {catalogue / "devices.csv", catalogue / "aliases.csv"};
  files.insert(files.end(), devices.begin(), devices.end());
  std::vector<hub::domain::CatalogueFile> tables;
  for (const fs::path& file : files) {
    SLIPWAY_ASSIGN(std::string content, base::read_file(file, hub::domain::kLargestCatalogueBytes));
    tables.push_back({.name = file.string(), .content = std::move(content)});
  }
  SLIPWAY_ASSIGN(auto known_devices, hub::domain::read_catalogue(tables));
  SLIPWAY_ASSIGN(stores->rows, hub::storage::SqliteStore::open(folder / "hub.sqlite", stores->clock));
  SLIPWAY_ASSIGN(stores->blobs, hub::storage::FileBlobStore::open(folder, stores->clock));
  hub::domain::HubSettings settings;
  settings.hub_version = SLIPWAY_VERSION;
  stores->hub = std::make_unique<hub::domain::Hub>(
      settings, hub::domain::Ports(*stores->rows, *stores->blobs, stores->clock, stores->ids),
      std::move(known_devices));
  return stores;
}

base::Result<void> require_hub(const fs::path& data) {
  std::error_code error;
  if (!fs::exists(data / "hub.sqlite", error)) {
    return base::fail(base::Code::kNotFound, "{} holds no hub; start one with `slipway-hub serve --data {}`",
                      data.string(), data.string());
  }
  return {};
}

}  // namespace slipway::apps::hub_server
