#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"
#include "hub/domain/hub.hpp"
#include "hub/protocol/routes.hpp"

namespace slipway::hub::server {

/// The one user a fresh data folder has.
inline constexpr const char* kAdministrator = "admin@localhost";

/// What the commands of `slipway-hub` ask: of a hub that runs over HTTP, of a folder that no server has straight. Both
/// are this function, so neither does what the other does not. Bodies and answers are JSON:
///
/// - GET admin/v1/tokens -> {"tokens": [slipway-token/1 …]}
/// - POST admin/v1/tokens {"name", "user", "for_agent"} -> slipway-token/1 with its "token", shown only here
/// - POST admin/v1/tokens/ID/revoke -> slipway-token/1
/// - POST admin/v1/collect {"dry_run"} -> slipway-collected/1
///
/// @pre   whoever asks is an administrator
/// @error kInvalidArgument: a body that is not this; kNotFound: no such token; of the stores
[[nodiscard]] base::Result<std::string> administer(domain::Hub& hub, const protocol::RouteMatch& match,
                                                   std::string_view body);

}  // namespace slipway::hub::server
