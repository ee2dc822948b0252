#pragma once

#include <string_view>

namespace slipway::pipelines {

/// Whether one name stands before another as people count: numbers inside names by their value, so that "frame_2.png"
/// comes before "frame_12.png"; all else by its bytes.
[[nodiscard]] bool is_before_naturally(std::string_view one, std::string_view other);

}  // namespace slipway::pipelines
