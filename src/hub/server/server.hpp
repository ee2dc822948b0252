#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "base/error.hpp"
#include "hub/server/service.hpp"

namespace slipway::hub::server {

struct ServerSettings {
  std::string address = "127.0.0.1";  ///< an IP address
  std::uint16_t port = 8400;          ///< 0: a free one
  int threads = 3;
  int max_connections = 256;                          ///< more are answered with 503 at once
  std::chrono::milliseconds header_timeout{15'000};   ///< also how long an idle connection is kept
  std::chrono::milliseconds body_timeout{30'000};     ///< for each piece, not for all of it
  std::uint64_t slowest_bytes_per_second = 8 * 1024;  ///< a body slower than this over all its time is cut off
};

/// The HTTP server: connections, time limits, streams. What requests mean is the Service's part.
class Server {
 public:
  /// Listens and serves on threads of its own. The hub's change listener is set here, and its sweep() called each
  /// second.
  /// @error kInvalidArgument: not an IP address; kUnavailable: the port is taken
  [[nodiscard]] static base::Result<std::unique_ptr<Server>> start(domain::Hub& hub, const SignedLinks& links,
                                                                   ServerSettings settings,
                                                                   ServiceSettings service_settings);
  virtual ~Server() = default;

  [[nodiscard]] virtual std::uint16_t port() const = 0;

  /// Stops accepting, ends waits and idle connections, and gives requests under way `patience` to finish.
  virtual void stop(std::chrono::milliseconds patience) = 0;
};

}  // namespace slipway::hub::server
