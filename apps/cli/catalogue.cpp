#include "apps/cli/catalogue.hpp"

#include <cstdlib>

#include "base/files.hpp"
#include "base/text.hpp"
#include "hub/domain/devices.hpp"

namespace slipway::cli {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Result;

Result<fs::path> catalogue_folder() {
  std::vector<fs::path> places;
  if (const char* given = std::getenv("SLIPWAY_CATALOGUE"); given != nullptr && *given != '\0') {
    places.emplace_back(given);
  } else {
    places.emplace_back(SLIPWAY_SOURCE_CATALOGUE);
    std::error_code error;
    const fs::path executable = fs::read_symlink("/proc/self/exe", error);
    if (!error) places.push_back(executable.parent_path().parent_path() / "share" / "slipway" / "catalogue");
  }
  std::string searched;
  for (const auto& place : places) {
    std::error_code error;
    if (fs::is_regular_file(place / "devices.csv", error)) return place;
    searched += fmt::format("{}{}", searched.empty() ? "" : ", ", place.string());
  }
  return base::fail(Code::kNotFound, "no device catalogue (devices.csv) in {}; name its folder with SLIPWAY_CATALOGUE",
                    searched);
}

}  // namespace

Result<hub::domain::Device> find_device(const std::string& name, const std::vector<fs::path>& own_files) {
  SLIPWAY_ASSIGN(const fs::path folder, catalogue_folder());
  std::vector<fs::path> files = {folder / "devices.csv"};
  if (fs::exists(folder / "aliases.csv")) files.push_back(folder / "aliases.csv");
  files.insert(files.end(), own_files.begin(), own_files.end());
  std::vector<hub::domain::CatalogueFile> tables;
  for (const fs::path& file : files) {
    SLIPWAY_ASSIGN(std::string content, base::read_file(file, hub::domain::kLargestCatalogueBytes));
    tables.push_back({.name = file.string(), .content = std::move(content)});
  }
  SLIPWAY_ASSIGN(const auto devices, hub::domain::read_catalogue(tables));
  SLIPWAY_ASSIGN(auto found,
                 hub::domain::match_devices(devices, {.name = name, .os = {}, .attributes = {}, .select = true}));
  if (!found.empty()) return std::move(found.front());
  std::vector<std::string> names;
  for (const auto& device : devices) names.push_back(device.name);
  const auto meant = base::nearest(name, names);
  return base::fail(Code::kNotFound, "the catalogue has no device \"{}\"{}", name,
                    meant ? fmt::format("; did you mean \"{}\"?", *meant)
                          : fmt::format("; it has {} others, listed in {}", names.size(), files[0].string()));
}

}  // namespace slipway::cli
