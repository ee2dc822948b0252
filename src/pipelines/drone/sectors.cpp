#include "pipelines/drone/sectors.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <tuple>

namespace slipway::pipelines::drone {

double open_ground(const SurfaceView& view, int from, int to, std::optional<double> horizon) {
  constexpr int kEvery = 2;  // columns and rows looked at
  const int top = horizon ? std::clamp(static_cast<int>(view.to_row(*horizon)), 0, view.rows() - 1) : 0;
  int ground = 0, all = 0;
  for (int column = from; column < to; column += kEvery) {
    bool is_open = true;
    for (int row = view.rows() - 1; row >= top; row -= kEvery) {
      ++all;
      if (horizon && !is_open) continue;
      is_open = is_ground(view.at(column, row));
      ground += is_open ? 1 : 0;
    }
  }
  return all > 0 ? static_cast<double>(ground) / all : 0;
}

double left_free(DistanceClass nearest) {
  switch (nearest) {
    case DistanceClass::kNear:
      return 0;
    case DistanceClass::kFar:
      return 0.8;
    case DistanceClass::kMiddle:
    case DistanceClass::kUnknown:
      return 0.5;
  }
  return 0;
}

void build_sectors(const SurfaceView* view, std::span<const Obstacle> obstacles, std::optional<double> horizon,
                   int image_width, int count, std::vector<Sector>& sectors) {
  constexpr double kLeastCover = 0.1;
  sectors.assign(static_cast<std::size_t>(count), {});
  for (int i = 0; i < count; ++i) {
    Sector& sector = sectors[static_cast<std::size_t>(i)];
    sector.x1 = static_cast<double>(image_width) * i / count;
    sector.x2 = static_cast<double>(image_width) * (i + 1) / count;
    for (const Obstacle& obstacle : obstacles) {
      const double covered = std::min(obstacle.box.x2, sector.x2) - std::max(obstacle.box.x1, sector.x1);
      if (covered <= 0 || covered < kLeastCover * std::min(sector.x2 - sector.x1, obstacle.box.x2 - obstacle.box.x1)) {
        continue;
      }
      ++sector.objects;
      sector.nearest = std::min(sector.nearest, obstacle.distance);
    }
    double ground = 1;
    if (view != nullptr) {
      const int from = view->columns() * i / count, to = view->columns() * (i + 1) / count;
      ground = open_ground(*view, from, std::max(to, from + 1), horizon);
    }
    sector.free = sector.objects > 0 ? ground * left_free(sector.nearest) : ground;
  }
}

std::optional<Heading> free_heading(std::span<const Sector> sectors, int image_width, double field_of_view_deg) {
  const double focal = focal_length_px(image_width, field_of_view_deg);
  std::optional<Heading> best;
  for (std::size_t first = 0; first < sectors.size(); ++first) {
    if (sectors[first].free < kFreeFrom) continue;
    std::size_t last = first;
    double sum = sectors[first].free;
    while (last + 1 < sectors.size() && sectors[last + 1].free >= kFreeFrom) sum += sectors[++last].free;
    const double middle = (sectors[first].x1 + sectors[last].x2) / 2 - image_width / 2.0;
    const Heading found{.degrees = std::atan(middle / focal) * 180 / std::numbers::pi,
                        .first_sector = static_cast<int>(first),
                        .last_sector = static_cast<int>(last),
                        .free = sum / static_cast<double>(last - first + 1)};
    const auto rank = [](const Heading& heading) {
      return std::tuple(heading.last_sector - heading.first_sector, heading.free, -std::abs(heading.degrees));
    };
    if (!best || rank(found) > rank(*best)) best = found;
    first = last;
  }
  return best;
}

}  // namespace slipway::pipelines::drone
