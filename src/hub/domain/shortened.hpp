#pragma once

#include <cstddef>
#include <string>

namespace slipway::hub::domain {

/// A text that a stranger had a part in, at a length that people can read; cut between characters and then ended by
/// " …".
[[nodiscard]] std::string shortened(std::string text, std::size_t limit_bytes);

}  // namespace slipway::hub::domain
