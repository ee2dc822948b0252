#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include <poll.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/descriptor.hpp"

namespace slipway::base::testing {

/// @param host  an address of this machine: 127.0.0.0/8
[[nodiscard]] inline sockaddr_in loopback_address(std::uint16_t port, const char* host = "127.0.0.1") {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  ::inet_pton(AF_INET, host, &address.sin_addr);
  return address;
}

/// A socket that takes connections from this machine, at a port that the system chose.
struct Listener {
  Descriptor descriptor;
  std::uint16_t port = 0;  ///< 0: there is none to be had
};

[[nodiscard]] inline Listener listen_on_loopback() {
  Listener listener{Descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))};
  sockaddr_in address = loopback_address(0);
  socklen_t size = sizeof(address);
  if (::bind(listener.descriptor.get(), reinterpret_cast<sockaddr*>(&address), size) == 0 &&
      ::listen(listener.descriptor.get(), 8) == 0 &&
      ::getsockname(listener.descriptor.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0) {
    listener.port = ntohs(address.sin_port);
  }
  return listener;
}

/// Appends what comes next on a socket or a pipe.
/// @param patience_ms  -1: waits for ever
/// @return false: nothing came in that time, or nothing will any more
inline bool read_more(const Descriptor& from, std::string& buffer, int patience_ms) {
  pollfd wanted{.fd = from.get(), .events = POLLIN, .revents = 0};
  if (::poll(&wanted, 1, patience_ms) <= 0) return false;
  std::array<char, 65536> bytes;
  const ssize_t count = ::read(from.get(), bytes.data(), bytes.size());
  if (count > 0) buffer.append(bytes.data(), static_cast<std::size_t>(count));
  return count > 0;
}

}  // namespace slipway::base::testing
