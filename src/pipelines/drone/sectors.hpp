#pragma once

#include <optional>
#include <span>
#include <vector>

#include "pipelines/drone/distance.hpp"
#include "pipelines/drone/surface.hpp"

namespace slipway::pipelines::drone {

inline constexpr int kDefaultSectors = 9;
inline constexpr double kFreeFrom = 0.5;  ///< a sector with this score or more is free

/// A vertical slice of the view.
struct Sector {
  double x1 = 0;  ///< image pixels
  double x2 = 0;
  double free = 0;                                  ///< 0 … 1
  DistanceClass nearest = DistanceClass::kUnknown;  ///< of the objects in it; unknown: none, or none with a distance
  int objects = 0;                                  ///< that reach into it
};

/// What an obstacle map needs of an object.
struct Obstacle {
  Box box;
  DistanceClass distance = DistanceClass::kUnknown;
};

/// How far ground goes on in columns [from, to) of the label map. With a horizon: the mean over the columns of the run
/// of ground upwards from the image's lower edge, as a share of the rows below the horizon. Without one (the camera
/// looks down): the share of ground.
[[nodiscard]] double open_ground(const SurfaceView& view, int from, int to, std::optional<double> horizon);

/// What an object at this distance leaves of a sector's score: near 0, middle 0.5, far 0.8, unknown 0.5.
[[nodiscard]] double left_free(DistanceClass nearest);

/// Cuts the view into `count` slices of equal width and scores each: open ground, times what the nearest of the objects
/// that reach into it leaves. An object reaches into a sector that it covers by a tenth of the sector's or its own
/// width.
/// @param view  may be null: then only objects count and all ground is taken as open
/// @param sectors  is replaced; its memory is used again
void build_sectors(const SurfaceView* view, std::span<const Obstacle> obstacles, std::optional<double> horizon,
                   int image_width, int count, std::vector<Sector>& sectors);

/// A direction with free sectors around it.
struct Heading {
  double degrees = 0;  ///< from the view's centre, right is positive
  int first_sector = 0;
  int last_sector = 0;
  double free = 0;  ///< mean score of these sectors
};

/// The middle of the widest run of free sectors; of equally wide ones that with the higher mean score, then the one
/// nearer to the centre. Nothing when no sector is free.
[[nodiscard]] std::optional<Heading> free_heading(std::span<const Sector> sectors, int image_width,
                                                  double field_of_view_deg);

}  // namespace slipway::pipelines::drone
