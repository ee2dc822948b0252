#include "base/hash.hpp"
#include "hub/domain/hub.hpp"
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

Result<User> Hub::user(const std::string& id) const {
  return metadata_.user(id);
}

Result<User> Hub::ensure_user(const std::string& email, Role role) {
  auto known = metadata_.user_by_email(email);
  if (known || known.error().code != Code::kNotFound) return known;
  const User user{.id = ids_.id("u", 8), .email = email, .role = role, .created = clock_.now()};
  SLIPWAY_TRY(metadata_.insert_user(user));
  return user;
}

Result<NewToken> Hub::create_token(const std::string& user_id, const std::string& name, Scope scope) {
  SLIPWAY_TRY(metadata_.user(user_id));
  NewToken made;
  made.text = token_text(ids_.secret());
  made.token = Token{.id = ids_.id("t", 8),
                     .user_id = user_id,
                     .name = name,
                     .sha256 = base::sha256_hex(made.text),
                     .scope = scope,
                     .created = clock_.now(),
                     .last_used = {},
                     .revoked = {}};
  SLIPWAY_TRY(metadata_.insert_token(made.token));
  return made;
}

Result<std::vector<Token>> Hub::tokens() const {
  return metadata_.tokens();
}

Result<void> Hub::revoke_token(const std::string& id) {
  return metadata_.revoke_token(id, clock_.now());
}

Result<Actor> Hub::authenticate(std::string_view text) {
  if (!is_token_text(text)) return unauthenticated("the token is malformed: expected slw_ and 38 letters and digits");
  const std::string sha256 = base::sha256_hex(text);
  const auto token = metadata_.token_by_hash(sha256);
  if (!token && token.error().code != Code::kNotFound) return std::unexpected(token.error());
  if (!token || !base::equal_in_constant_time(token->sha256, sha256)) return unauthenticated("the token is unknown");
  if (token->revoked) return unauthenticated("the token has been revoked");
  const base::Time now = clock_.now();
  if (!token->last_used || now - *token->last_used >= kLastUsedPrecision) {
    SLIPWAY_TRY(metadata_.touch_token(token->id, now));
  }
  SLIPWAY_ASSIGN(User user, metadata_.user(token->user_id));
  return Actor{.user = std::move(user), .scope = token->scope};
}

Result<std::string> Hub::sign_in(std::string_view text) {
  SLIPWAY_ASSIGN(const Actor actor, authenticate(text));
  if (actor.scope != Scope::kUser) return unauthenticated("the token belongs to an agent; sign in with a user's");
  SLIPWAY_ASSIGN(const Token token, metadata_.token_by_hash(base::sha256_hex(text)));
  const std::string cookie = ids_.secret();
  SLIPWAY_TRY(metadata_.insert_web_session(WebSession{.sha256 = base::sha256_hex(cookie),
                                                      .user_id = actor.user.id,
                                                      .token_id = token.id,
                                                      .expires = clock_.now() + kWebSessionLifetime}));
  return cookie;
}

Result<Actor> Hub::authenticate_web_session(std::string_view cookie) {
  const std::string sha256 = base::sha256_hex(cookie);
  const auto session = metadata_.web_session(sha256);
  if (!session && session.error().code != Code::kNotFound) return std::unexpected(session.error());
  if (!session || !base::equal_in_constant_time(session->sha256, sha256) || session->expires <= clock_.now()) {
    return unauthenticated("you are not signed in, or the session has ended");
  }
  SLIPWAY_ASSIGN(User user, metadata_.user(session->user_id));
  return Actor{.user = std::move(user), .scope = Scope::kUser};
}

void Hub::sign_out(std::string_view cookie) {
  metadata_.remove_web_session(base::sha256_hex(cookie));
}

}  // namespace slipway::hub::domain
