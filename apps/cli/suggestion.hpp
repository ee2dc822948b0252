#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace slipway::cli {

/// The candidate nearest to what was typed, when it is near enough to be what was meant; otherwise empty.
[[nodiscard]] std::string nearest(std::string_view typed, const std::vector<std::string>& candidates);

}  // namespace slipway::cli
