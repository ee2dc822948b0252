#include "pipelines/drone/distance.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <utility>

namespace slipway::pipelines::drone {

std::string_view distance_name(DistanceClass distance) {
  constexpr std::array<std::string_view, 4> kNames = {"near", "middle", "far", "unknown"};
  return kNames[static_cast<std::size_t>(distance)];
}

std::optional<double> usual_height_m(std::string_view label) {
  constexpr std::pair<std::string_view, double> kHeights[] = {
      {"person", 1.7}, {"bicycle", 1.1}, {"car", 1.5},   {"motorcycle", 1.2}, {"bus", 3.1},
      {"train", 3.8},  {"truck", 3.0},   {"boat", 2.0},  {"horse", 1.6},      {"cow", 1.4},
      {"sheep", 0.9},  {"dog", 0.6},     {"bird", 0.2},  {"bench", 0.9},      {"stop sign", 0.75},
      {"cat", 0.3},    {"elephant", 3},  {"giraffe", 5}, {"zebra", 1.4},      {"fire hydrant", 0.8}};
  for (const auto& [name, height] : kHeights) {
    if (name == label) return height;
  }
  return std::nullopt;
}

double focal_length_px(int image_width, double field_of_view_deg) {
  return image_width / (2 * std::tan(field_of_view_deg * std::numbers::pi / 360));
}

std::optional<double> distance_by_size(const Box& box, double height_m, double focal_px, int image_height) {
  const bool is_cut = box.y1 <= 1 || box.y2 >= image_height - 1;
  if (is_cut || box.y2 - box.y1 < 1) return std::nullopt;
  return focal_px * height_m / (box.y2 - box.y1);
}

std::optional<double> share_below_horizon(const Box& box, std::optional<double> horizon, int image_height) {
  if (!horizon || box.y2 <= *horizon || *horizon >= image_height - 1) return std::nullopt;
  return std::clamp((box.y2 - *horizon) / (image_height - *horizon), 0.0, 1.0);
}

DistanceClass classify_distance(std::optional<double> by_size_m, std::optional<double> below_horizon) {
  constexpr double kNearShare = 0.6, kMiddleShare = 0.2;
  DistanceClass distance = DistanceClass::kUnknown;
  const auto use_nearer = [&](DistanceClass other) { distance = std::min(distance, other); };
  if (by_size_m) {
    use_nearer(*by_size_m <= kNearMetres     ? DistanceClass::kNear
               : *by_size_m <= kMiddleMetres ? DistanceClass::kMiddle
                                             : DistanceClass::kFar);
  }
  if (below_horizon) {
    use_nearer(*below_horizon >= kNearShare     ? DistanceClass::kNear
               : *below_horizon >= kMiddleShare ? DistanceClass::kMiddle
                                                : DistanceClass::kFar);
  }
  return distance;
}

}  // namespace slipway::pipelines::drone
