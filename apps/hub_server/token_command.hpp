#pragma once

#include <filesystem>
#include <string>

#include "base/error.hpp"

namespace slipway::apps::hub_server {

struct TokenSettings {
  std::filesystem::path data;
  std::string name;  ///< create: shown in lists
  std::string user;  ///< create: e-mail address, made when new; list: only this user's
  std::string id;    ///< revoke: the token's id, or its name when only one has it
  bool for_agent = false;
  bool json = false;
};

/// @error of ask_hub
[[nodiscard]] base::Result<void> create_token(const TokenSettings& settings);
[[nodiscard]] base::Result<void> list_tokens(const TokenSettings& settings);
/// @error kNotFound: no such token; kInvalidArgument: several have that name
[[nodiscard]] base::Result<void> revoke_token(const TokenSettings& settings);

}  // namespace slipway::apps::hub_server
