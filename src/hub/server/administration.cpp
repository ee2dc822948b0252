#include "hub/server/administration.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "hub/protocol/wire_text.hpp"

namespace slipway::hub::server {
namespace {

using base::Code;
using base::Result;
using domain::Role;
using domain::Scope;
using domain::Token;
using nlohmann::ordered_json;
using protocol::Route;

ordered_json to_json(const domain::Hub& hub, const Token& token) {
  const auto or_null = [](const std::optional<base::Time>& time) {
    return time ? ordered_json(base::iso8601(*time)) : ordered_json(nullptr);
  };
  const auto user = hub.accounts.user(token.user_id);
  return {{"schema", "slipway-token/1"},
          {"id", token.id},
          {"name", token.name},
          {"user", user ? user->email : token.user_id},
          {"scope", token.scope == Scope::kAgent ? "agent" : "user"},
          {"created", base::iso8601(token.created)},
          {"last_used", or_null(token.last_used)},
          {"revoked", or_null(token.revoked)}};
}

std::string text_of(const ordered_json& json) {
  return json.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

Result<std::string> list_tokens(domain::Hub& hub) {
  SLIPWAY_ASSIGN(const std::vector<Token> tokens, hub.accounts.tokens());
  ordered_json list = ordered_json::array();
  for (const Token& token : tokens) list.push_back(to_json(hub, token));
  return text_of({{"tokens", list}});
}

/// Names go into lists, pages and messages, which are UTF-8.
Result<std::string> text_in(const ordered_json& body, const char* key, std::string_view otherwise) {
  const std::string text = body.value(key, std::string());
  if (text.size() > 256) return base::fail(Code::kInvalidArgument, "expected a {} of at most 256 bytes", key);
  return text.empty() ? std::string(otherwise) : text;
}

Result<std::string> create_token(domain::Hub& hub, const ordered_json& body) {
  SLIPWAY_ASSIGN(const std::string email, text_in(body, "user", kAdministrator));
  SLIPWAY_ASSIGN(const std::string name, text_in(body, "name", "unnamed"));
  const Role role = email == kAdministrator ? Role::kAdmin : Role::kMember;
  SLIPWAY_ASSIGN(const auto user, hub.accounts.ensure_user(email, role));
  const Scope scope = body.value("for_agent", false) ? Scope::kAgent : Scope::kUser;
  SLIPWAY_ASSIGN(const auto made, hub.accounts.create_token(user.id, name, scope));
  ordered_json json = to_json(hub, made.token);
  json["token"] = made.text;
  return text_of(json);
}

Result<std::string> revoke_token(domain::Hub& hub, const std::string& id) {
  SLIPWAY_TRY(hub.accounts.revoke_token(id));
  SLIPWAY_ASSIGN(const std::vector<Token> tokens, hub.accounts.tokens());
  const auto revoked = std::ranges::find(tokens, id, &Token::id);
  if (revoked == tokens.end()) return base::fail(Code::kNotFound, "no token {}", id);
  return text_of(to_json(hub, *revoked));
}

Result<std::string> collect(domain::Hub& hub, const ordered_json& body) {
  const bool dry_run = body.value("dry_run", false);
  SLIPWAY_ASSIGN(const auto collected, hub.contents.collect(dry_run));
  return text_of({{"schema", "slipway-collected/1"},
                  {"files", collected.count},
                  {"size_bytes", collected.size_bytes},
                  {"dry_run", dry_run}});
}

}  // namespace

Result<std::string> administer(domain::Hub& hub, const protocol::RouteMatch& match, std::string_view body) {
  if (match.route == Route::kAdminTokens) return list_tokens(hub);
  if (match.route == Route::kAdminRevokeToken) return revoke_token(hub, match.parameters.at(0));
  const ordered_json json = ordered_json::parse(body, nullptr, false);
  if (!json.is_object()) return base::fail(Code::kInvalidArgument, "expected a JSON object");
  try {
    return match.route == Route::kAdminCollect ? collect(hub, json) : create_token(hub, json);
  } catch (const nlohmann::json::exception& error) {
    return base::fail(Code::kInvalidArgument, "a value of the request has another type than expected: {}",
                      protocol::wire_text(error.what()));
  }
}

}  // namespace slipway::hub::server
