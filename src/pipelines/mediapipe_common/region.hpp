#pragma once

#include "media/draw.hpp"
#include "media/region_to_tensor.hpp"
#include "pipelines/common/box.hpp"

namespace slipway::pipelines::mediapipe {

/// A rectangle of a picture, in pixels, turned clockwise (x right, y down) by `angle` radians about its centre.
struct Region {
  media::Point centre;
  double width = 0;
  double height = 0;
  double angle = 0;
};

/// The angle of the line between two points: 0 when `end` lies straight to the right of `start`.
/// @source DetectionsToRectsCalculator with a target angle of 0
[[nodiscard]] double angle_between(media::Point start, media::Point end);

/// A square around a box: its longer side times `scale`.
/// @source RectTransformationCalculator with square_long
[[nodiscard]] Region square_region(const Box& box, double angle, double scale);

/// The smallest square that holds the whole picture, centred on it: MediaPipe's letterbox.
/// @source ImageToTensorCalculator with keep_aspect_ratio
[[nodiscard]] Region letterbox_region(int picture_width, int picture_height);

/// From pixels of a crop of columns × rows to the picture: crop 0 … columns spans the region's width.
[[nodiscard]] media::Affine crop_map(const Region& region, double columns, double rows);

/// The box of a region that is taken as not turned: what tracks are told apart by.
/// @source AssociationNormRectCalculator
[[nodiscard]] Box upright_box(const Region& region);

}  // namespace slipway::pipelines::mediapipe
