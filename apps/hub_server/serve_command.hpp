#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/error.hpp"

namespace slipway::apps::hub_server {

struct ServeSettings {
  std::filesystem::path data;
  std::string listen = "127.0.0.1:8400";
  std::string public_url;
  std::vector<std::filesystem::path> devices;
  bool json = false;
};

/// Serves until SIGTERM or SIGINT. Says on standard output, in one line, when it is ready.
/// @error kInvalidArgument: an address that cannot be read; kUnavailable: the port or the data folder is taken;
/// kFailedPrecondition: the folder's agent.token is unknown to its database, or that is of a newer version
[[nodiscard]] base::Result<void> serve(const ServeSettings& settings);

struct ListenAddress {
  std::string host;
  std::uint16_t port = 0;
  [[nodiscard]] bool is_loopback() const { return host.starts_with("127.") || host == "::1"; }
};
/// "127.0.0.1:8400", "localhost:0", "[::1]:8400". @error kInvalidArgument
[[nodiscard]] base::Result<ListenAddress> parse_listen_address(const std::string& text);

/// Where this machine's programs reach the hub: an address that means "all" becomes the loopback one.
[[nodiscard]] std::string local_url(const ListenAddress& address);

}  // namespace slipway::apps::hub_server
