#include "media/fit.hpp"

#include <algorithm>
#include <cmath>

namespace slipway::media {

Placement place(int width, int height, int to_width, int to_height, Fit fit) {
  Placement placement;
  if (fit == Fit::kStretch) {
    placement.scale_x = static_cast<double>(to_width) / width;
    placement.scale_y = static_cast<double>(to_height) / height;
    placement.inner_width = to_width;
    placement.inner_height = to_height;
    return placement;
  }
  const double scale = std::min(static_cast<double>(to_height) / height, static_cast<double>(to_width) / width);
  placement.scale_x = placement.scale_y = scale;
  placement.inner_width = std::max(1, static_cast<int>(std::floor(width * scale)));
  placement.inner_height = std::max(1, static_cast<int>(std::floor(height * scale)));
  placement.pad_left = (to_width - placement.inner_width) / 2;
  placement.pad_top = (to_height - placement.inner_height) / 2;
  return placement;
}

}  // namespace slipway::media
