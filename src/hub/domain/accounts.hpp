#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "hub/domain/actor.hpp"
#include "hub/domain/foundation.hpp"

namespace slipway::hub::domain {

struct NewToken {
  Token token;
  std::string text;  ///< shown once: "slw_" + 32 characters + checksum
};

/// Users, their tokens and the web sessions that tokens are traded for.
/// @thread safe from any thread
class Accounts {
 public:
  explicit Accounts(const Foundation& hub) : hub_(hub) {}

  [[nodiscard]] base::Result<User> user(const std::string& id) const;
  [[nodiscard]] base::Result<User> ensure_user(const std::string& email, Role role);
  [[nodiscard]] base::Result<NewToken> create_token(const std::string& user_id, const std::string& name, Scope scope);
  [[nodiscard]] base::Result<std::vector<Token>> tokens() const;
  [[nodiscard]] base::Result<void> revoke_token(const std::string& id);
  /// @error kUnauthenticated
  [[nodiscard]] base::Result<Actor> authenticate(std::string_view token_text);
  /// Trades a token for a web session's cookie value. @error kUnauthenticated
  [[nodiscard]] base::Result<std::string> sign_in(std::string_view token_text);
  [[nodiscard]] base::Result<Actor> authenticate_web_session(std::string_view cookie);
  void sign_out(std::string_view cookie);

  /// Whether a project exists that the actor may name. Empty: none is named.
  /// @error kNotFound
  [[nodiscard]] base::Result<void> require_project(const Actor& actor, const std::string& project_id) const;

  /// Forgets web sessions that have ended.
  void sweep();

 private:
  const Foundation& hub_;
};

}  // namespace slipway::hub::domain
