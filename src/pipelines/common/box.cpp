#include "pipelines/common/box.hpp"

#include <algorithm>

namespace slipway::pipelines {

double box_iou(const Box& a, const Box& b) {
  const double overlap = std::max(0.0, std::min(a.x2, b.x2) - std::max(a.x1, b.x1)) *
                         std::max(0.0, std::min(a.y2, b.y2) - std::max(a.y1, b.y1));
  const double both = (a.x2 - a.x1) * (a.y2 - a.y1) + (b.x2 - b.x1) * (b.y2 - b.y1) - overlap;
  return both > 0 ? overlap / both : 0;
}

void suppress(std::span<const Box> boxes, std::span<const std::int32_t> classes, double iou_max,
              std::vector<std::size_t>& kept) {
  kept.clear();
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    const bool is_covered = std::ranges::any_of(kept, [&](std::size_t other) {
      return (classes.empty() || classes[other] == classes[i]) && box_iou(boxes[other], boxes[i]) > iou_max;
    });
    if (!is_covered) kept.push_back(i);
  }
}

}  // namespace slipway::pipelines
