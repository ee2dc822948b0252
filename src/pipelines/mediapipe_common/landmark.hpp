#pragma once

#include <span>

#include "pipelines/common/real_values.hpp"
#include "pipelines/mediapipe_common/region.hpp"

namespace slipway::pipelines::mediapipe {

/// A point in pixels of the image; z in the same unit, smaller is nearer.
struct Landmark {
  float x = 0;
  float y = 0;
  float z = 0;
};

[[nodiscard]] inline media::Point point_of(const Landmark& landmark) {
  return {static_cast<double>(landmark.x), static_cast<double>(landmark.y)};
}

/// How a network's values become pixels of the image.
struct LandmarkPlace {
  media::Affine to_image;
  double unit = 1;        ///< pixels of the crop a unit of x and y
  double depth_unit = 1;  ///< pixels of the image a unit of z
};

/// @param columns    values a landmark, x, y and z first
/// @param landmarks  receives as many as it holds
/// @return whether all are finite
[[nodiscard]] bool place_landmarks(const RealValues& values, std::size_t columns, const LandmarkPlace& place,
                                   std::span<Landmark> landmarks);

/// Landmarks in metres, turned clockwise as their region is; z is kept.
/// @source WorldLandmarkProjectionCalculator
[[nodiscard]] bool turn_landmarks(const RealValues& values, std::size_t columns, double angle,
                                  std::span<Landmark> landmarks);

/// The smallest upright box around them.
/// @pre there is one
[[nodiscard]] Box box_of(std::span<const Landmark> landmarks);

/// The smallest box around them that is turned by `angle`.
/// @pre there is one
/// @source HandLandmarksToRectCalculator
[[nodiscard]] Region turned_box(std::span<const Landmark> landmarks, double angle);

}  // namespace slipway::pipelines::mediapipe
