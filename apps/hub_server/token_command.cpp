#include "apps/hub_server/token_command.hpp"

#include <cstdio>
#include <vector>

#include <fmt/format.h>

#include "apps/hub_server/ask_hub.hpp"

namespace slipway::apps::hub_server {
namespace {

using nlohmann::ordered_json;

constexpr const char* kTokens = "/admin/v1/tokens/";

std::string text_of(const ordered_json& token, const char* key) {
  const auto found = token.find(key);
  return found != token.end() && found->is_string() ? found->get<std::string>() : "";
}

void print_line(const ordered_json& line) {
  fmt::print("{}\n", line.dump(-1, ' ', false, ordered_json::error_handler_t::replace));
}

base::Result<std::vector<ordered_json>> all_tokens(const TokenSettings& settings) {
  SLIPWAY_ASSIGN(const ordered_json answer, ask_hub(settings.data, "GET", kTokens));
  return answer.value("tokens", std::vector<ordered_json>());
}

}  // namespace

base::Result<void> create_token(const TokenSettings& settings) {
  SLIPWAY_ASSIGN(const ordered_json token,
                 ask_hub(settings.data, "POST", kTokens,
                         {{"name", settings.name}, {"user", settings.user}, {"for_agent", settings.for_agent}}));
  if (settings.json) {
    print_line(token);
  } else {
    fmt::print("{}\n", text_of(token, "token"));
    fmt::print(stderr, "Token {} of {} made. It is shown only this once.\n", text_of(token, "id"),
               text_of(token, "user"));
  }
  return {};
}

base::Result<void> list_tokens(const TokenSettings& settings) {
  SLIPWAY_ASSIGN(std::vector<ordered_json> tokens, all_tokens(settings));
  if (!settings.user.empty()) {
    std::erase_if(tokens, [&](const ordered_json& token) { return text_of(token, "user") != settings.user; });
  }
  if (settings.json) {
    for (const ordered_json& token : tokens) print_line(token);
    return {};
  }
  constexpr auto kRow = "{:<10} {:<6} {:<24} {:<32} {:<25} {:<25} {}\n";
  fmt::print(kRow, "ID", "SCOPE", "USER", "NAME", "CREATED", "LAST USED", "REVOKED");
  for (const ordered_json& token : tokens) {
    fmt::print(kRow, text_of(token, "id"), text_of(token, "scope"), text_of(token, "user"), text_of(token, "name"),
               text_of(token, "created"), text_of(token, "last_used"), text_of(token, "revoked"));
  }
  return {};
}

base::Result<void> revoke_token(const TokenSettings& settings) {
  SLIPWAY_ASSIGN(std::vector<ordered_json> tokens, all_tokens(settings));
  std::erase_if(tokens, [&](const ordered_json& token) {
    const bool is_named = text_of(token, "name") == settings.id && text_of(token, "revoked").empty();
    return text_of(token, "id") != settings.id && !is_named;
  });
  if (tokens.empty()) {
    return base::fail(base::Code::kNotFound, "no token has the id or name \"{}\"; `slipway-hub token list` shows all",
                      settings.id);
  }
  if (tokens.size() > 1) {
    return base::fail(base::Code::kInvalidArgument, "{} tokens are named \"{}\"; give the id of one", tokens.size(),
                      settings.id);
  }
  SLIPWAY_ASSIGN(const ordered_json revoked,
                 ask_hub(settings.data, "POST", kTokens + text_of(tokens.front(), "id") + "/revoke/"));
  if (settings.json) {
    print_line(revoked);
  } else {
    fmt::print("Token {} ({}) is revoked.\n", text_of(revoked, "id"), text_of(revoked, "name"));
  }
  return {};
}

}  // namespace slipway::apps::hub_server
