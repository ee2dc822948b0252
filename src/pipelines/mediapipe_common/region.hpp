#pragma once

#include "media/draw.hpp"
#include "media/region_to_tensor.hpp"
#include "pipelines/common/box.hpp"

namespace slipway::pipelines::mediapipe {

/// A rectangle of an image, in pixels, turned clockwise (x right, y down) by `angle` radians about its centre.
struct Region {
  media::Point centre;
  double width = 0;
  double height = 0;
  double angle = 0;
};

/// The angle of the line between two points: 0 when `end` lies straight to the right of `start`.
/// @source DetectionsToRectsCalculator with a target angle of 0
[[nodiscard]] double angle_between(media::Point start, media::Point end);

/// The same for a line that is to point straight up: 0 when `end` lies above `start`; in −π … π.
/// @source DetectionsToRectsCalculator with a target angle of 90 degrees
[[nodiscard]] double angle_upright(media::Point start, media::Point end);

/// A region moved along its own axes, made square by its longer side, and grown.
/// @param right, down  in widths and heights of the region as it was
/// @source RectTransformationCalculator with shifts and square_long
[[nodiscard]] Region moved_square(const Region& region, double right, double down, double scale);

/// A square around a box: its longer side times `scale`.
/// @source RectTransformationCalculator with square_long
[[nodiscard]] Region square_region(const Box& box, double angle, double scale);

/// The smallest square that holds the whole image, centred on it: MediaPipe's letterbox.
/// @source ImageToTensorCalculator with keep_aspect_ratio
[[nodiscard]] Region letterbox_region(int image_width, int image_height);

/// From pixels of a crop of columns × rows to the image: crop 0 … columns spans the region's width.
[[nodiscard]] media::Affine crop_map(const Region& region, double columns, double rows);

/// Whether a network can see it: it has a width and a height, and all of it is finite.
[[nodiscard]] bool has_area(const Region& region);

/// The box of a region that is taken as not turned: what tracks are told apart by.
/// @source AssociationNormRectCalculator
[[nodiscard]] Box upright_box(const Region& region);

}  // namespace slipway::pipelines::mediapipe
