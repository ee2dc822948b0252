#pragma once

#include <optional>
#include <string_view>

#include "pipelines/common/box.hpp"

namespace slipway::pipelines::drone {

/// How far an object is, as far as one camera can tell.
enum class DistanceClass { kNear, kMiddle, kFar, kUnknown };
[[nodiscard]] std::string_view distance_name(DistanceClass distance);  ///< "near", "middle", "far", "unknown"

inline constexpr double kNearMetres = 10;
inline constexpr double kMiddleMetres = 30;
inline constexpr double kDefaultFieldOfView = 70;  ///< degrees across the image; a guess that users should replace

/// What the rules below found.
struct Distance {
  DistanceClass distance = DistanceClass::kUnknown;
  std::optional<double> by_size_m;      ///< an estimate: it takes the field of view and a usual size as given
  std::optional<double> below_horizon;  ///< 0 at the horizon … 1 at the image's lower edge
};

/// The usual height of a COCO class in metres, standing: person 1.7, bicycle 1.1, car 1.5, motorcycle 1.2, bus 3.1,
/// train 3.8, truck 3, boat 2, horse 1.6, cow 1.4, dog 0.6, bird 0.2 … ; nothing where sizes vary too much.
[[nodiscard]] std::optional<double> usual_height_m(std::string_view label);

/// The focal length in pixels of a camera that sees so many degrees across an image of this width.
[[nodiscard]] double focal_length_px(int image_width, double field_of_view_deg);

/// Distance of an object of known height: focal length · height / box height. Nothing for a box that touches the
/// image's upper or lower edge: part of the object is missing.
[[nodiscard]] std::optional<double> distance_by_size(const Box& box, double height_m, double focal_px,
                                                     int image_height);

/// Where the object stands between horizon (0) and the image's lower edge (1): on flat ground that share grows as
/// the distance shrinks. Nothing without a horizon, or for an object whose lower edge is above it: it does not stand.
[[nodiscard]] std::optional<double> share_below_horizon(const Box& box, std::optional<double> horizon,
                                                        int image_height);

/// By size: near up to 10 m, middle up to 30 m, far beyond. By horizon: near from a share of 0.6 on, middle from 0.2
/// on, far below. Where both speak the nearer one counts, because it is the safe one.
[[nodiscard]] DistanceClass classify_distance(std::optional<double> by_size_m, std::optional<double> below_horizon);

}  // namespace slipway::pipelines::drone
