#include "hub/server/origin.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace slipway::hub::server {

std::optional<Origin> origin_of(std::string_view url) {
  const std::size_t mark = url.find("://");
  if (mark == std::string_view::npos) return std::nullopt;
  Origin origin{.scheme = base::lowered(url.substr(0, mark)), .host = {}, .port = 0};
  if (origin.scheme != "http" && origin.scheme != "https") return std::nullopt;
  origin.port = origin.scheme == "http" ? 80 : 443;
  std::string_view rest = url.substr(mark + 3);
  rest = rest.substr(0, rest.find_first_of("/?#"));
  // What stands before an @ is no host, and no browser sends it.
  if (rest.find('@') != std::string_view::npos) return std::nullopt;
  // The colons inside an IPv6 address are not the one before the port.
  const std::size_t bracket = rest.rfind(']');
  const std::size_t colon = rest.find(':', bracket == std::string_view::npos ? 0 : bracket);
  origin.host = base::lowered(rest.substr(0, colon));
  if (origin.host.empty()) return std::nullopt;
  if (colon != std::string_view::npos) {
    const std::string_view digits = rest.substr(colon + 1);
    const auto port = base::parse_number<decltype(origin.port)>(digits);
    if (!port || *port == 0) return std::nullopt;
    origin.port = *port;
  }
  return origin;
}

}  // namespace slipway::hub::server
