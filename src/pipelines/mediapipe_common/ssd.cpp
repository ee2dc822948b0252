#include "pipelines/mediapipe_common/ssd.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace slipway::pipelines::mediapipe {
namespace {

constexpr float kLogitLimit = 100;

float sigmoid(float logit) {
  return 1.0F / (1.0F + std::exp(-std::clamp(logit, -kLogitLimit, kLogitLimit)));
}

/// Below it no logit reaches the score; the margin is far above what rounding moves.
float lowest_logit(float score_min) {
  constexpr float kMargin = 1e-3F;
  if (score_min <= 0) return -std::numeric_limits<float>::infinity();
  if (score_min >= 1) return std::numeric_limits<float>::lowest();
  return std::log(score_min / (1 - score_min)) - kMargin;
}

bool is_finite(const Detection& detection, std::size_t keypoint_count) {
  const Box& box = detection.box;
  for (const double side : {box.x1, box.y1, box.x2, box.y2}) {
    if (!std::isfinite(side)) return false;
  }
  return std::all_of(detection.keypoints.begin(),
                     detection.keypoints.begin() + static_cast<std::ptrdiff_t>(keypoint_count),
                     [](const media::Point& point) { return std::isfinite(point.x) && std::isfinite(point.y); });
}

constexpr float kUsed = -1;  // as a score: the detection is part of a mean already

void sort_best_first(std::vector<Detection>& found) {
  // Not stable_sort, which allocates.
  std::ranges::sort(found, [](const Detection& a, const Detection& b) {
    return a.score != b.score ? a.score > b.score : a.row < b.row;
  });
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

std::vector<media::Point> make_anchors(int input_size, std::span<const AnchorLayer> layers) {
  std::vector<media::Point> anchors;
  for (const AnchorLayer& layer : layers) {
    const int cells = input_size / layer.stride;
    for (int row = 0; row < cells; ++row) {
      for (int column = 0; column < cells; ++column) {
        anchors.insert(anchors.end(), static_cast<std::size_t>(layer.per_cell),
                       {(column + 0.5) / cells, (row + 0.5) / cells});
      }
    }
  }
  return anchors;
}

SsdDecoder::SsdDecoder(int input_size, std::span<const AnchorLayer> layers, std::size_t keypoint_count)
    : anchors_(make_anchors(input_size, layers)), keypoint_count_(keypoint_count) {
  SLIPWAY_CHECK(keypoint_count <= kMostKeypoints, "a detection has room for the key points");
  for (media::Point& anchor : anchors_) anchor = {anchor.x * input_size, anchor.y * input_size};
}

void SsdDecoder::decode(std::span<const SsdRows> rows, float score_min, std::vector<Detection>& found) const {
  found.clear();
  const float lowest = lowest_logit(score_min);
  const std::size_t row_values = 4 + 2 * keypoint_count_;
  std::size_t first = 0;
  for (const SsdRows& part : rows) {
    for (std::size_t i = 0; i < part.count && first + i < anchors_.size(); ++i) {
      const float logit = part.logits[i];
      if (!(logit >= lowest)) continue;
      const float score = sigmoid(logit);
      if (!(score >= score_min)) continue;
      const media::Point& anchor = anchors_[first + i];
      const auto value = [&](std::size_t k) { return static_cast<double>(part.coordinates[i * row_values + k]); };
      const double x = value(0) + anchor.x, y = value(1) + anchor.y, width = value(2), height = value(3);
      if (width < 0 || height < 0) continue;
      Detection detection;
      detection.score = score;
      detection.row = static_cast<std::uint32_t>(first + i);
      detection.box = {x - width / 2, y - height / 2, x + width / 2, y + height / 2};
      for (std::size_t k = 0; k < keypoint_count_; ++k) {
        detection.keypoints[k] = {value(4 + 2 * k) + anchor.x, value(5 + 2 * k) + anchor.y};
      }
      if (is_finite(detection, keypoint_count_)) found.push_back(detection);
    }
    first += part.count;
  }
}

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
