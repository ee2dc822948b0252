#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "hub/protocol/query.hpp"
#include "hub/protocol/routes.hpp"
#include "hub/protocol/wire_text.hpp"

/// Whatever a request line holds: no variable segment is empty, climbs or hides a slash, and encoding undoes decoding.
namespace {

using namespace slipway::hub::protocol;

void require(bool condition) {
  if (!condition) std::abort();
}

void check_route(std::string_view method, std::string_view path) {
  const RouteMatch match = match_route(method, path);
  if (match.kind != RouteMatch::Kind::kFound) return;
  for (const std::string& parameter : match.parameters) {
    require(!parameter.empty() && parameter != "." && parameter != "..");
    require(parameter.find('/') == std::string::npos && parameter.find('\0') == std::string::npos);
  }
  require(!route_name(match.route).empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t question = std::min(text.find('?'), text.size());
  for (const std::string_view method : {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}) {
    check_route(method, text.substr(0, question));
  }
  if (const auto query = Query::parse(text.substr(std::min(question + 1, text.size())))) {
    (void)device_query(*query);
    (void)page_of(*query);
    (void)job_filter(*query);
    (void)plan_form(*query);
  }
  require(percent_decoded(percent_encoded(text), PlusMeans::kSpace) == text);
  require(wire_text(wire_text(text)) == wire_text(text));
  return 0;
}
