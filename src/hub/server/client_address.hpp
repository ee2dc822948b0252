#pragma once

#include <string>
#include <string_view>

namespace slipway::hub::server {

/// What the addresses of one owner have in common. IPv6 addresses count by their first 64 bits, because whoever has one
/// has all of those; an IPv4 address stands for itself, also in its IPv6 clothes.
/// @param address  as text, without a port
[[nodiscard]] std::string owner_of_address(std::string_view address);

}  // namespace slipway::hub::server
