#pragma once

#include <exception>
#include <string>

namespace slipway::hub::server::internal {

/// What an exception says, for the hub's own log.
[[nodiscard]] std::string text_of(const std::exception_ptr& problem);

/// The same for everybody: a file system's exception names the server's own paths, which are left out.
[[nodiscard]] std::string public_text_of(const std::exception_ptr& problem);

}  // namespace slipway::hub::server::internal
