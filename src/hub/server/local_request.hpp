#pragma once

#include <cstdint>
#include <string>

#include "base/error.hpp"

namespace slipway::hub::server {

struct LocalReply {
  int status = 0;
  std::string body;
};

/// Sends one request to a hub on this machine and waits for its reply: what the commands beside a running hub need, and
/// no more (no TLS, no names, no redirects).
/// @param address  an IP address
/// @error kUnavailable: nobody answers there within half a minute
[[nodiscard]] base::Result<LocalReply> send_local_request(const std::string& address, std::uint16_t port,
                                                          const std::string& method, const std::string& path,
                                                          const std::string& token, const std::string& body);

}  // namespace slipway::hub::server
