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
  int threads = 2;                    ///< that move bytes and never block; what blocks has threads of its own
  int max_connections = 256;          ///< more are answered with 503 at once
  int waiting_strangers = 128;  ///< connections that have shown no valid token or link and keep the server waiting
  int waiting_strangers_of_an_address = 32;
  std::chrono::milliseconds header_timeout{10'000};   ///< for a whole header; a stranger's first or next one
  std::chrono::milliseconds idle_timeout{60'000};     ///< between two requests of one who has signed in
  std::chrono::milliseconds body_timeout{30'000};     ///< for each bit of progress, not for all of it
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
