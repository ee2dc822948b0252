#pragma once

#include "base/error.hpp"

namespace slipway::media {

/// How an image is brought to a network's size.
enum class Fit {
  kLetterbox,  ///< proportions kept, centred, the rest black
  kStretch,    ///< each side scaled by itself
};

/// Where an image lies inside a network's input, and the way back.
struct Placement {
  double scale_x = 1;  ///< input pixels per image pixel; for a letterbox both are the rule's one scale
  double scale_y = 1;
  int pad_left = 0;
  int pad_top = 0;
  int inner_width = 0;  ///< size of the image inside the input
  int inner_height = 0;

  [[nodiscard]] double to_image_x(double x) const { return (x - pad_left) / scale_x; }
  [[nodiscard]] double to_image_y(double y) const { return (y - pad_top) / scale_y; }
};

/// Places an image of width × height in an input of to_width × to_height.
///
/// Letterbox: scale = min(to_height / height, to_width / width); inner sides are floor(side · scale) in double
/// precision (at least 1); left and top padding are the difference // 2, right and bottom get the odd pixel.
/// Example: 1280×720 into 640×480: scale 0.5, inner 640×360, 60 black rows above and below.
/// @pre all sides are 1 or more
/// @source python/reference/face_det_lite/preprocess.py::place
[[nodiscard]] Placement place(int width, int height, int to_width, int to_height, Fit fit);

}  // namespace slipway::media
