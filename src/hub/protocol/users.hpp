#pragma once

#include <string>
#include <string_view>

#include "hub/domain/types.hpp"

namespace slipway::hub::protocol {

/// A User message.
[[nodiscard]] std::string encode_user(const domain::User& user);

}  // namespace slipway::hub::protocol
