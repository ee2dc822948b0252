#include "pipelines/mediapipe_common/landmark.hpp"

#include <algorithm>
#include <cmath>

namespace slipway::pipelines::mediapipe {
namespace {

bool is_finite(const Landmark& landmark) {
  return std::isfinite(landmark.x) && std::isfinite(landmark.y) && std::isfinite(landmark.z);
}

}  // namespace

bool place_landmarks(const RealValues& values, std::size_t columns, const LandmarkPlace& place,
                     std::span<Landmark> landmarks) {
  bool all_finite = true;
  for (std::size_t i = 0; i < landmarks.size(); ++i) {
    const auto value = [&](std::size_t k) { return static_cast<double>(values[columns * i + k]); };
    const media::Point at = place.to_image.apply({value(0) * place.unit, value(1) * place.unit});
    landmarks[i] = {static_cast<float>(at.x), static_cast<float>(at.y),
                    static_cast<float>(value(2) * place.depth_unit)};
    all_finite = all_finite && is_finite(landmarks[i]);
  }
  return all_finite;
}

bool turn_landmarks(const RealValues& values, std::size_t columns, double angle, std::span<Landmark> landmarks) {
  const double cosine = std::cos(angle), sine = std::sin(angle);
  bool all_finite = true;
  for (std::size_t i = 0; i < landmarks.size(); ++i) {
    const auto x = static_cast<double>(values[columns * i]), y = static_cast<double>(values[columns * i + 1]);
    landmarks[i] = {static_cast<float>(cosine * x - sine * y), static_cast<float>(sine * x + cosine * y),
                    values[columns * i + 2]};
    all_finite = all_finite && is_finite(landmarks[i]);
  }
  return all_finite;
}

Box box_of(std::span<const Landmark> landmarks) {
  float left = landmarks[0].x, right = left, top = landmarks[0].y, bottom = top;
  for (const Landmark& landmark : landmarks) {
    left = std::min(left, landmark.x);
    right = std::max(right, landmark.x);
    top = std::min(top, landmark.y);
    bottom = std::max(bottom, landmark.y);
  }
  return {static_cast<double>(left), static_cast<double>(top), static_cast<double>(right), static_cast<double>(bottom)};
}

Region turned_box(std::span<const Landmark> landmarks, double angle) {
  const Box upright = box_of(landmarks);
  const media::Point about = {(upright.x1 + upright.x2) / 2, (upright.y1 + upright.y2) / 2};
  const double cosine = std::cos(angle), sine = std::sin(angle);
  double left = 0, right = 0, top = 0, bottom = 0;
  bool is_first = true;
  for (const Landmark& landmark : landmarks) {
    const double dx = static_cast<double>(landmark.x) - about.x, dy = static_cast<double>(landmark.y) - about.y;
    const double x = cosine * dx + sine * dy, y = cosine * dy - sine * dx;
    left = is_first ? x : std::min(left, x);
    right = is_first ? x : std::max(right, x);
    top = is_first ? y : std::min(top, y);
    bottom = is_first ? y : std::max(bottom, y);
    is_first = false;
  }
  const double x = (left + right) / 2, y = (top + bottom) / 2;
  return {{about.x + cosine * x - sine * y, about.y + sine * x + cosine * y}, right - left, bottom - top, angle};
}

}  // namespace slipway::pipelines::mediapipe
