#include "pipelines/mediapipe_common/tracker.hpp"

namespace slipway::pipelines::mediapipe {

bool is_same_object(const Region& a, const Region& b) {
  constexpr double kSameObjectIou = 0.5;
  return box_iou(upright_box(a), upright_box(b)) > kSameObjectIou;
}

void Tracker::Track::smooth(double time_s, const Box& around, std::span<Landmark> landmarks) {
  constexpr double kSmallest = 1e-6;
  const double size = (around.x2 - around.x1 + around.y2 - around.y1) / 2;
  if (size >= kSmallest) filter.apply(time_s, 1 / size, {&landmarks[0].x, 3 * landmarks.size()});
}

}  // namespace slipway::pipelines::mediapipe
