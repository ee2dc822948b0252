#pragma once

#include "hub/domain/types.hpp"

namespace slipway::hub::domain {

/// Who is asking.
struct Actor {
  User user;
  Scope scope = Scope::kUser;
};

}  // namespace slipway::hub::domain
