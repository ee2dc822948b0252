#include "pipelines/mediapipe_common/ssd_decoder.hpp"

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

}  // namespace

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
      detection.box = {x - width / 2, y - height / 2, x + width / 2, y + height / 2};
      for (std::size_t k = 0; k < keypoint_count_; ++k) {
        detection.keypoints[k] = {value(4 + 2 * k) + anchor.x, value(5 + 2 * k) + anchor.y};
      }
      if (is_finite(detection, keypoint_count_)) found.push_back(detection);
    }
    first += part.count;
  }
}

}  // namespace slipway::pipelines::mediapipe
