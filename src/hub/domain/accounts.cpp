#include "hub/domain/accounts.hpp"

#include "base/hash.hpp"
#include "hub/domain/access.hpp"
#include "hub/domain/token_text.hpp"

namespace slipway::hub::domain {
namespace {

using base::Code;
using base::Result;

constexpr std::chrono::hours kWebSessionLifetime{7 * 24};
// The time of last use is for people; a write on every request would cost more than the request.
constexpr std::chrono::minutes kLastUsedPrecision{1};

std::unexpected<base::Error> unauthenticated(std::string_view why) {
  return base::fail(Code::kUnauthenticated, "{}", why);
}

}  // namespace

Result<User> Accounts::user(const std::string& id) const {
  return hub_.ports.accounts.user(id);
}

Result<User> Accounts::ensure_user(const std::string& email, Role role) {
  auto known = hub_.ports.accounts.user_by_email(email);
  if (known || known.error().code != Code::kNotFound) return known;
  const User user{.id = hub_.ports.ids.id("u", 8), .email = email, .role = role, .created = hub_.ports.clock.now()};
  SLIPWAY_TRY(hub_.ports.accounts.insert_user(user));
  return user;
}

Result<NewToken> Accounts::create_token(const std::string& user_id, const std::string& name, Scope scope) {
  SLIPWAY_TRY(hub_.ports.accounts.user(user_id));
  NewToken made;
  made.text = token_text(hub_.ports.ids.secret());
  made.token = Token{.id = hub_.ports.ids.id("t", 8),
                     .user_id = user_id,
                     .name = name,
                     .sha256 = base::sha256_hex(made.text),
                     .scope = scope,
                     .created = hub_.ports.clock.now(),
                     .last_used = {},
                     .revoked = {}};
  SLIPWAY_TRY(hub_.ports.accounts.insert_token(made.token));
  return made;
}

Result<std::vector<Token>> Accounts::tokens() const {
  return hub_.ports.accounts.tokens();
}

Result<void> Accounts::revoke_token(const std::string& id) {
  return hub_.ports.accounts.revoke_token(id, hub_.ports.clock.now());
}

Result<Actor> Accounts::authenticate(std::string_view text) {
  if (!is_token_text(text)) return unauthenticated("the token is malformed: expected slw_ and 38 letters and digits");
  const std::string sha256 = base::sha256_hex(text);
  const auto token = hub_.ports.accounts.token_by_hash(sha256);
  if (!token && token.error().code != Code::kNotFound) return std::unexpected(token.error());
  if (!token || !base::equal_in_constant_time(token->sha256, sha256)) return unauthenticated("the token is unknown");
  if (token->revoked) return unauthenticated("the token has been revoked");
  const base::Time now = hub_.ports.clock.now();
  if (!token->last_used || now - *token->last_used >= kLastUsedPrecision) {
    // Signing in needs no writing: where rows cannot be written for now, they can be read.
    static_cast<void>(hub_.ports.accounts.touch_token(token->id, now));
  }
  SLIPWAY_ASSIGN(User user, hub_.ports.accounts.user(token->user_id));
  return Actor{.user = std::move(user), .scope = token->scope};
}

Result<std::string> Accounts::sign_in(std::string_view text) {
  SLIPWAY_ASSIGN(const Actor actor, authenticate(text));
  if (actor.scope != Scope::kUser) return unauthenticated("the token belongs to an agent; sign in with a user's");
  SLIPWAY_ASSIGN(const Token token, hub_.ports.accounts.token_by_hash(base::sha256_hex(text)));
  const std::string cookie = hub_.ports.ids.secret();
  SLIPWAY_TRY(
      hub_.ports.accounts.insert_web_session(WebSession{.sha256 = base::sha256_hex(cookie),
                                                        .user_id = actor.user.id,
                                                        .token_id = token.id,
                                                        .expires = hub_.ports.clock.now() + kWebSessionLifetime}));
  return cookie;
}

Result<Actor> Accounts::authenticate_web_session(std::string_view cookie) {
  const std::string sha256 = base::sha256_hex(cookie);
  const auto session = hub_.ports.accounts.web_session(sha256);
  if (!session && session.error().code != Code::kNotFound) return std::unexpected(session.error());
  if (!session || !base::equal_in_constant_time(session->sha256, sha256) ||
      session->expires <= hub_.ports.clock.now()) {
    return unauthenticated("you are not signed in, or the session has ended");
  }
  SLIPWAY_ASSIGN(User user, hub_.ports.accounts.user(session->user_id));
  return Actor{.user = std::move(user), .scope = Scope::kUser};
}

void Accounts::sign_out(std::string_view cookie) {
  hub_.ports.accounts.remove_web_session(base::sha256_hex(cookie));
}

Result<void> Accounts::require_project(const Actor& /*actor*/, const std::string& project_id) const {
  return access::require_project(project_id);
}

void Accounts::sweep() {
  hub_.ports.accounts.remove_web_sessions_before(hub_.ports.clock.now());
}

}  // namespace slipway::hub::domain
