#include "pipelines/drone/surface.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <utility>

namespace slipway::pipelines::drone {
namespace {

constexpr std::array<std::string_view, kSurfaceCount> kNames = {
    "road", "walkway", "terrain", "vegetation", "building", "structure", "water", "sky", "movable", "unknown"};

constexpr std::pair<std::string_view, Surface> kLabels[] = {{"road", Surface::kRoad},
                                                            {"sidewalk", Surface::kWalkway},
                                                            {"building", Surface::kBuilding},
                                                            {"wall", Surface::kStructure},
                                                            {"fence", Surface::kStructure},
                                                            {"pole", Surface::kStructure},
                                                            {"traffic light", Surface::kStructure},
                                                            {"traffic sign", Surface::kStructure},
                                                            {"vegetation", Surface::kVegetation},
                                                            {"tree", Surface::kVegetation},
                                                            {"terrain", Surface::kTerrain},
                                                            {"grass", Surface::kTerrain},
                                                            {"sand", Surface::kTerrain},
                                                            {"sky", Surface::kSky},
                                                            {"water", Surface::kWater},
                                                            {"sea", Surface::kWater},
                                                            {"river", Surface::kWater},
                                                            {"lake", Surface::kWater},
                                                            {"person", Surface::kMovable},
                                                            {"rider", Surface::kMovable},
                                                            {"car", Surface::kMovable},
                                                            {"truck", Surface::kMovable},
                                                            {"bus", Surface::kMovable},
                                                            {"train", Surface::kMovable},
                                                            {"motorcycle", Surface::kMovable},
                                                            {"bicycle", Surface::kMovable}};

/// The row above which so much of the counted cells lies.
double row_of_share(std::span<const int> per_row, int total, double share) {
  int above = 0;
  for (std::size_t row = 0; row < per_row.size(); ++row) {
    above += per_row[row];
    if (above >= share * total) return static_cast<double>(row) + 0.5;
  }
  return static_cast<double>(per_row.size());
}

}  // namespace

std::string_view surface_name(Surface surface) {
  return kNames[static_cast<std::size_t>(surface)];
}

Surface surface_of_label(std::string_view label) {
  for (const auto& [name, surface] : kLabels) {
    if (name == label) return surface;
  }
  return Surface::kUnknown;
}

bool is_ground(Surface surface) {
  return surface == Surface::kRoad || surface == Surface::kWalkway || surface == Surface::kTerrain;
}

Surface main_surface(const SurfaceShares& shares) {
  Surface best = Surface::kUnknown;
  double highest = 0;
  for (int i = 0; i < static_cast<int>(Surface::kMovable); ++i) {
    if (shares[static_cast<std::size_t>(i)] > highest) {
      highest = shares[static_cast<std::size_t>(i)];
      best = static_cast<Surface>(i);
    }
  }
  return best;
}

SurfaceShares SurfaceView::shares(const Box& area, const Box* hole) const {
  constexpr int kMostSteps = 100;  // a side
  SurfaceShares shares{};
  const auto cell = [](double value, int count) {
    return static_cast<int>(std::clamp(std::floor(value), 0.0, 1.0 * count));
  };
  const int left = cell(to_column(area.x1), columns()), top = cell(to_row(area.y1), rows());
  const int right = std::min(columns(), static_cast<int>(std::ceil(std::min(to_column(area.x2), 1.0 * columns()))));
  const int bottom = std::min(rows(), static_cast<int>(std::ceil(std::min(to_row(area.y2), 1.0 * rows()))));
  const int step_x = std::max(1, (right - left) / kMostSteps), step_y = std::max(1, (bottom - top) / kMostSteps);
  int count = 0;
  for (int row = top; row < bottom; row += step_y) {
    const double y = (row + 0.5) * image_height_ / rows();
    for (int column = left; column < right; column += step_x) {
      const double x = (column + 0.5) * image_width_ / columns();
      if (hole != nullptr && x >= hole->x1 && x < hole->x2 && y >= hole->y1 && y < hole->y2) continue;
      shares[static_cast<std::size_t>(at(column, row))] += 1;
      ++count;
    }
  }
  if (count > 0) {
    for (double& share : shares) share /= count;
  }
  return shares;
}

Box strip_under(const Box& object, int image_height) {
  constexpr double kOfObject = 0.15, kOfImage = 0.02;
  const double height = std::max(kOfObject * (object.y2 - object.y1), kOfImage * image_height);
  if (object.y2 + 1 >= image_height) return {object.x1, image_height - height, object.x2, 1.0 * image_height};
  return {object.x1, object.y2, object.x2, object.y2 + height};
}

Box area_around(const Box& object) {
  const double dx = 0.25 * (object.x2 - object.x1), dy = 0.25 * (object.y2 - object.y1);
  return {object.x1 - dx, object.y1 - dy, object.x2 + dx, object.y2 + dy};
}

double free_space_score(const SurfaceShares& around) {
  double score = 0;
  for (int i = 0; i < kSurfaceCount; ++i) {
    if (is_ground(static_cast<Surface>(i))) score += around[static_cast<std::size_t>(i)];
  }
  return std::min(score, 1.0);
}

std::optional<double> find_horizon(const SurfaceView& view) {
  constexpr int kEvery = 4, kMostRows = 256;
  constexpr double kLeastShare = 0.01, kTop = 0.05;
  const int every = std::max(kEvery, (view.rows() + kMostRows - 1) / kMostRows);  // columns and rows looked at
  const int rows = view.rows() / every;
  if (rows == 0) return std::nullopt;
  std::array<int, kMostRows> sky{}, ground{};
  int sky_count = 0, ground_count = 0, count = 0;
  for (int row = 0; row < rows; ++row) {
    for (int column = 0; column < view.columns(); column += every) {
      const Surface surface = view.at(column, row * every);
      ++count;
      if (surface == Surface::kSky) {
        ++sky[static_cast<std::size_t>(row)];
        ++sky_count;
      } else if (is_ground(surface)) {
        ++ground[static_cast<std::size_t>(row)];
        ++ground_count;
      }
    }
  }
  const bool has_sky = sky_count > kLeastShare * count, has_ground = ground_count > kLeastShare * count;
  const double to_image = 1.0 * view.image_height() / rows;
  const double sky_end =
      has_sky ? row_of_share(std::span(sky).first(static_cast<std::size_t>(rows)), sky_count, 0.95) * to_image : 0;
  const double ground_begin =
      has_ground ? row_of_share(std::span(ground).first(static_cast<std::size_t>(rows)), ground_count, 0.05) * to_image
                 : 0;
  if (has_sky && has_ground) return (sky_end + ground_begin) / 2;
  if (has_sky) return sky_end;
  if (has_ground && ground_begin > kTop * view.image_height()) return ground_begin;
  return std::nullopt;
}

}  // namespace slipway::pipelines::drone
