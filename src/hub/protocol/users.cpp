#include "hub/protocol/users.hpp"

#include "hub/protocol/internal/wire.hpp"

namespace slipway::hub::protocol {

std::string encode_user(const domain::User& user) {
  internal::api::User message;
  internal::fill_user(user, message);
  return message.SerializeAsString();
}

}  // namespace slipway::hub::protocol
