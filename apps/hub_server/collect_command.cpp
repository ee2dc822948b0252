#include "apps/hub_server/collect_command.hpp"

#include <fmt/format.h>

#include "apps/hub_server/ask_hub.hpp"

namespace slipway::apps::hub_server {

base::Result<void> collect(const CollectSettings& settings) {
  SLIPWAY_ASSIGN(const auto collected,
                 ask_hub(settings.data, "POST", "/admin/v1/collect/", {{"dry_run", settings.dry_run}}));
  if (settings.json) {
    fmt::print("{}\n", collected.dump());
  } else {
    const auto count = collected.value("files", std::uint64_t{0});
    fmt::print("{} {} file{} with {} bytes that nothing refers to.\n", settings.dry_run ? "Found" : "Removed", count,
               count == 1 ? "" : "s", collected.value("size_bytes", std::uint64_t{0}));
  }
  return {};
}

}  // namespace slipway::apps::hub_server
