#include "pipelines/mediapipe_common/weighted_suppression.hpp"

#include <algorithm>

namespace slipway::pipelines::mediapipe {
namespace {

constexpr float kUsed = -1;  // as a score: the detection is part of a mean already

void sort_best_first(std::vector<Detection>& found) {
  std::ranges::stable_sort(found, std::greater{}, &Detection::score);
}

void add_weighted(Detection& sum, const Detection& detection, double weight) {
  sum.box.x1 += weight * detection.box.x1;
  sum.box.y1 += weight * detection.box.y1;
  sum.box.x2 += weight * detection.box.x2;
  sum.box.y2 += weight * detection.box.y2;
  for (std::size_t k = 0; k < kMostKeypoints; ++k) {
    sum.keypoints[k].x += weight * detection.keypoints[k].x;
    sum.keypoints[k].y += weight * detection.keypoints[k].y;
  }
}

}  // namespace

void suppress_weighted(std::vector<Detection>& found, double iou_max, std::vector<Detection>& kept) {
  kept.clear();
  sort_best_first(found);
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (found[i].score == kUsed) continue;
    const Detection best = found[i];
    double total = 0;
    Detection sum;
    for (std::size_t j = i; j < found.size(); ++j) {
      if (found[j].score == kUsed) continue;
      // A box without area overlaps nothing and still stands for itself.
      if (j != i && !(box_iou(best.box, found[j].box) > iou_max)) continue;
      const auto weight = static_cast<double>(found[j].score);
      add_weighted(sum, found[j], weight);
      total += weight;
      found[j].score = kUsed;
    }
    Detection mean;
    if (total > 0) {
      add_weighted(mean, sum, 1 / total);
    } else {
      mean = best;
    }
    mean.score = best.score;
    kept.push_back(mean);
  }
}

void suppress_greedily(std::vector<Detection>& found, double iou_max, std::vector<Detection>& kept) {
  kept.clear();
  sort_best_first(found);
  for (const Detection& detection : found) {
    const bool is_covered =
        std::ranges::any_of(kept, [&](const Detection& other) { return box_iou(other.box, detection.box) > iou_max; });
    if (!is_covered) kept.push_back(detection);
  }
}

}  // namespace slipway::pipelines::mediapipe
