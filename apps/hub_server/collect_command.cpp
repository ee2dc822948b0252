#include "apps/hub_server/collect_command.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "apps/hub_server/folder_lock.hpp"
#include "apps/hub_server/stores.hpp"

namespace slipway::apps::hub_server {

base::Result<void> collect(const CollectSettings& settings) {
  SLIPWAY_ASSIGN(const auto stores, existing_stores(settings.data));
  SLIPWAY_ASSIGN(const FolderLock lock, FolderLock::take(settings.data));
  SLIPWAY_ASSIGN(const auto collected, stores->hub->contents.collect(settings.dry_run));
  if (settings.json) {
    const nlohmann::ordered_json line{{"schema", "slipway-collected/1"},
                                      {"files", collected.count},
                                      {"size_bytes", collected.size_bytes},
                                      {"dry_run", settings.dry_run}};
    fmt::print("{}\n", line.dump());
  } else {
    fmt::print("{} {} file{} with {} bytes that nothing refers to.\n", settings.dry_run ? "Found" : "Removed",
               collected.count, collected.count == 1 ? "" : "s", collected.size_bytes);
  }
  return {};
}

}  // namespace slipway::apps::hub_server
