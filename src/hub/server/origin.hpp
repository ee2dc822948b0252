#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace slipway::hub::server {

/// Where a page comes from, as browsers say it in the Origin header: two are the same only when all three are.
struct Origin {
  std::string scheme, host;  ///< in lower case
  std::uint16_t port = 0;
  friend bool operator==(const Origin&, const Origin&) = default;
};

/// The origin of an http or https URL; what follows the host and port does not matter, and a missing port is the
/// scheme's own. Nothing for anything else, such as "null".
[[nodiscard]] std::optional<Origin> origin_of(std::string_view url);

}  // namespace slipway::hub::server
