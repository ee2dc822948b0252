#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "hub/domain/types.hpp"

namespace slipway::hub::domain {

/// A file of the catalogue as whoever knows where it lies has read it.
struct CatalogueFile {
  std::string name;  ///< for messages
  std::string content;
};
inline constexpr std::uint64_t kLargestCatalogueBytes = 16U << 20;

/// Reads the catalogue (data/catalogue/devices.csv and aliases.csv, then a user's own file with the same columns).
/// @error kInvalidArgument: a missing column, a bad number, an alias of an unknown device (file and line are named)
[[nodiscard]] base::Result<std::vector<Device>> read_catalogue(const std::vector<CatalogueFile>& files);

struct DeviceQuery {
  std::string name;                     ///< exact, or empty
  std::string os;                       ///< empty, a version, or a half-open interval "[low,high)"
  std::vector<std::string> attributes;  ///< all must be present
  bool select = false;                  ///< at most one: the match with the latest os
};

/// @error kInvalidArgument: an interval that cannot be read
[[nodiscard]] base::Result<std::vector<Device>> match_devices(const std::vector<Device>& devices,
                                                              const DeviceQuery& query);

/// Compares versions like "12" < "14" < "14.1" number by number.
[[nodiscard]] int compare_versions(std::string_view a, std::string_view b);

}  // namespace slipway::hub::domain
