#include "apps/hub_server/client_ini.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.hpp"

namespace slipway::apps::hub_server {
namespace {

/// The key of a "key = value" line as configparser reads it; empty for anything else.
std::string_view key_of(std::string_view line) {
  const std::string_view key = line.substr(0, line.find_first_of("=:"));
  return key.substr(0, key.find_last_not_of(" \t") + 1);
}

}  // namespace

std::string new_client_ini(std::string_view token, std::string_view url) {
  return fmt::format("[api]\napi_token = {}\napi_url = {}\nweb_url = {}\nverbose = True\n", token, url, url);
}

std::string token_in(std::string_view ini) {
  while (!ini.empty()) {
    const std::string_view line = ini.substr(0, ini.find('\n'));
    ini.remove_prefix(std::min(line.size() + 1, ini.size()));
    if (key_of(line) != "api_token") continue;
    return std::string(base::trimmed(line.substr(line.find_first_of("=:") + 1)));
  }
  return {};
}

std::string with_url(std::string_view ini, std::string_view url) {
  std::string result;
  while (!ini.empty()) {
    const std::size_t end = std::min(ini.find('\n'), ini.size());
    const std::string_view line = ini.substr(0, end);
    ini.remove_prefix(std::min(end + 1, ini.size()));
    const std::string_view key = key_of(line);
    if (key == "api_url" || key == "web_url") {
      result += fmt::format("{} = {}\n", key, url);
    } else {
      result += fmt::format("{}\n", line);
    }
  }
  return result;
}

}  // namespace slipway::apps::hub_server
