#include "hub/server/client_address.hpp"

#include <algorithm>
#include <array>

#include <arpa/inet.h>

namespace slipway::hub::server {

std::string owner_of_address(std::string_view address) {
  std::array<unsigned char, 16> bytes{};
  const std::string text(address.substr(0, address.find('%')));
  if (::inet_pton(AF_INET6, text.c_str(), bytes.data()) != 1) return text.substr(0, 64);
  constexpr std::array<unsigned char, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (std::equal(kMapped.begin(), kMapped.end(), bytes.begin())) {
    std::array<char, INET_ADDRSTRLEN> plain{};
    ::inet_ntop(AF_INET, bytes.data() + kMapped.size(), plain.data(), plain.size());
    return plain.data();
  }
  return "6:" + std::string(bytes.begin(), bytes.begin() + 8);
}

}  // namespace slipway::hub::server
