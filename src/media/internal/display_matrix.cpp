#include "media/internal/display_matrix.hpp"

#include <cmath>

namespace slipway::media::internal {

Orientation orientation_of(const std::int32_t* matrix) {
  if (matrix == nullptr) return Orientation::kUpright;
  // A stored place (x, y) is shown at (right_x·x + right_y·y, down_x·x + down_y·y), moved back into the image.
  const double right_x = matrix[0], down_x = matrix[1], right_y = matrix[3], down_y = matrix[4];
  if (std::abs(right_x) + std::abs(down_y) >= std::abs(right_y) + std::abs(down_x)) {
    if (right_x >= 0) return down_y >= 0 ? Orientation::kUpright : Orientation::kFlipped;
    return down_y >= 0 ? Orientation::kMirrored : Orientation::kUpsideDown;
  }
  if (right_y >= 0) return down_x >= 0 ? Orientation::kTransposed : Orientation::kQuarterLeft;
  return down_x >= 0 ? Orientation::kQuarterRight : Orientation::kTransversed;
}

}  // namespace slipway::media::internal
