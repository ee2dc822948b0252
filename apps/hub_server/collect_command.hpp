#pragma once

#include <filesystem>

#include "base/error.hpp"

namespace slipway::apps::hub_server {

struct CollectSettings {
  std::filesystem::path data;
  bool dry_run = false;
  bool json = false;
};

/// Removes content that nothing speaks of any more, and says how much.
/// @error of ask_hub
[[nodiscard]] base::Result<void> collect(const CollectSettings& settings);

}  // namespace slipway::apps::hub_server
