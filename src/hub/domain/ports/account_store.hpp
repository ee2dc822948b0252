#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "hub/domain/types.hpp"

namespace slipway::hub::domain {

struct WebSession {
  std::string sha256;  ///< of the cookie
  std::string user_id;
  std::string token_id;  ///< the token it was traded for; revoking that ends the session
  base::Time expires;
};

/// Rows of users, their tokens and their web sessions. Each call is one transaction: after it returns, a crash loses
/// nothing of it.
/// @thread safe from any thread
class AccountStore {
 public:
  virtual ~AccountStore() = default;

  [[nodiscard]] virtual base::Result<void> insert_user(const User& user) = 0;
  [[nodiscard]] virtual base::Result<User> user(const std::string& id) const = 0;
  [[nodiscard]] virtual base::Result<User> user_by_email(const std::string& email) const = 0;
  [[nodiscard]] virtual base::Result<void> insert_token(const Token& token) = 0;
  [[nodiscard]] virtual base::Result<std::vector<Token>> tokens() const = 0;
  [[nodiscard]] virtual base::Result<Token> token_by_hash(const std::string& sha256) const = 0;
  [[nodiscard]] virtual base::Result<void> touch_token(const std::string& id, base::Time last_used) = 0;
  [[nodiscard]] virtual base::Result<Token> token(const std::string& id) const = 0;
  /// Ends the token and the web sessions traded for it.
  [[nodiscard]] virtual base::Result<void> revoke_token(const std::string& id, base::Time when) = 0;
  [[nodiscard]] virtual base::Result<void> insert_web_session(const WebSession& session) = 0;
  [[nodiscard]] virtual base::Result<WebSession> web_session(const std::string& sha256) const = 0;
  virtual void remove_web_session(const std::string& sha256) = 0;
  virtual void remove_web_sessions_before(base::Time now) = 0;
};

}  // namespace slipway::hub::domain
