#include "apps/hub_server/token_command.hpp"

#include <algorithm>
#include <cstdio>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "apps/hub_server/serve_command.hpp"
#include "apps/hub_server/stores.hpp"

namespace slipway::apps::hub_server {
namespace {

using hub::domain::Role;
using hub::domain::Scope;
using hub::domain::Token;
using nlohmann::ordered_json;

std::string when(const std::optional<base::Time>& time) {
  return time ? base::iso8601(*time) : "";
}

std::string email_of(const Stores& stores, const Token& token) {
  const auto user = stores.hub->accounts.user(token.user_id);
  return user ? user->email : token.user_id;
}

ordered_json to_json(const Stores& stores, const Token& token) {
  const auto or_null = [](const std::optional<base::Time>& time) {
    return time ? ordered_json(base::iso8601(*time)) : ordered_json(nullptr);
  };
  return {{"schema", "slipway-token/1"},
          {"id", token.id},
          {"name", token.name},
          {"user", email_of(stores, token)},
          {"scope", token.scope == Scope::kAgent ? "agent" : "user"},
          {"created", base::iso8601(token.created)},
          {"last_used", or_null(token.last_used)},
          {"revoked", or_null(token.revoked)}};
}

void print_line(const ordered_json& line) {
  fmt::print("{}\n", line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

}  // namespace

base::Result<void> create_token(const TokenSettings& settings) {
  SLIPWAY_ASSIGN(const auto stores, existing_stores(settings.data));
  const bool is_administrator = settings.user.empty() || settings.user == kAdministrator;
  const std::string email = settings.user.empty() ? kAdministrator : settings.user;
  SLIPWAY_ASSIGN(const auto user,
                 stores->hub->accounts.ensure_user(email, is_administrator ? Role::kAdmin : Role::kMember));
  SLIPWAY_ASSIGN(const auto made,
                 stores->hub->accounts.create_token(user.id, settings.name.empty() ? "unnamed" : settings.name,
                                                    settings.for_agent ? Scope::kAgent : Scope::kUser));
  if (settings.json) {
    ordered_json line = to_json(*stores, made.token);
    line["token"] = made.text;
    print_line(line);
  } else {
    fmt::print("{}\n", made.text);
    fmt::print(stderr, "Token {} of {} made. It is shown only this once.\n", made.token.id, email);
  }
  return {};
}

base::Result<void> list_tokens(const TokenSettings& settings) {
  SLIPWAY_ASSIGN(const auto stores, existing_stores(settings.data));
  SLIPWAY_ASSIGN(std::vector<Token> tokens, stores->hub->accounts.tokens());
  if (!settings.user.empty()) {
    std::erase_if(tokens, [&](const Token& token) { return email_of(*stores, token) != settings.user; });
  }
  if (settings.json) {
    for (const Token& token : tokens) print_line(to_json(*stores, token));
    return {};
  }
  constexpr auto kRow = "{:<10} {:<6} {:<24} {:<32} {:<25} {:<25} {}\n";
  fmt::print(kRow, "ID", "SCOPE", "USER", "NAME", "CREATED", "LAST USED", "REVOKED");
  for (const Token& token : tokens) {
    fmt::print(kRow, token.id, token.scope == Scope::kAgent ? "agent" : "user", email_of(*stores, token), token.name,
               base::iso8601(token.created), when(token.last_used), when(token.revoked));
  }
  return {};
}

base::Result<void> revoke_token(const TokenSettings& settings) {
  SLIPWAY_ASSIGN(const auto stores, existing_stores(settings.data));
  SLIPWAY_ASSIGN(const std::vector<Token> tokens, stores->hub->accounts.tokens());
  std::vector<Token> matching;
  std::ranges::copy_if(tokens, std::back_inserter(matching), [&](const Token& token) {
    return token.id == settings.id || (token.name == settings.id && !token.revoked);
  });
  if (matching.empty()) {
    return base::fail(base::Code::kNotFound, "no token has the id or name \"{}\"; `slipway-hub token list` shows all",
                      settings.id);
  }
  if (matching.size() > 1) {
    return base::fail(base::Code::kInvalidArgument, "{} tokens are named \"{}\"; give the id of one", matching.size(),
                      settings.id);
  }
  SLIPWAY_TRY(stores->hub->accounts.revoke_token(matching.front().id));
  if (settings.json) {
    SLIPWAY_ASSIGN(const std::vector<Token> after, stores->hub->accounts.tokens());
    const auto revoked = std::ranges::find(after, matching.front().id, &Token::id);
    if (revoked != after.end()) print_line(to_json(*stores, *revoked));
  } else {
    fmt::print("Token {} ({}) is revoked.\n", matching.front().id, matching.front().name);
  }
  return {};
}

}  // namespace slipway::apps::hub_server
