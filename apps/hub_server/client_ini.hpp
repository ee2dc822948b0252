#pragma once

#include <string>
#include <string_view>

namespace slipway::apps::hub_server {

/// A configuration file for the official client: one section [api].
/// @param url  "http://127.0.0.1:8400", no slash at the end
[[nodiscard]] std::string new_client_ini(std::string_view token, std::string_view url);

/// The value of api_token; empty when there is none.
[[nodiscard]] std::string token_in(std::string_view ini);

/// The same file for a hub that moved: api_url and web_url are replaced, all else stays as its owner left it.
[[nodiscard]] std::string with_url(std::string_view ini, std::string_view url);

}  // namespace slipway::apps::hub_server
