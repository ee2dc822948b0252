#pragma once

#include <span>
#include <vector>

#include "pipelines/common/real_values.hpp"
#include "pipelines/mediapipe_common/anchors.hpp"
#include "pipelines/mediapipe_common/detection.hpp"

namespace slipway::pipelines::mediapipe {

/// Some of a detector's rows, as its outputs give them: one output for all anchors, or one for each feature map.
struct SsdRows {
  RealValues coordinates;  ///< rows × (4 + 2·keypoints)
  RealValues logits;       ///< rows
  std::size_t count = 0;
};

/// Reads boxes and key points out of a BlazeFace-like network.
///
/// A row holds (x, y) pairs in input pixels: centre, size, key points; centre and key points are relative to the
/// anchor. score = 1 / (1 + exp(−logit)) with the logit held to ±100.
/// @thread immutable after it was made
/// @source TensorsToDetectionsCalculator; python/reference/mediapipe_face/detector.py::decode_boxes
class SsdDecoder {
 public:
  SsdDecoder(int input_size, std::span<const AnchorLayer> layers, std::size_t keypoint_count);

  /// Appends nothing for rows below the threshold, with a size below zero, or with values that are not finite.
  /// @param rows   together as many as there are anchors, in their order
  /// @param found  receives the rest in input pixels, in the order of the anchors; its memory is reused
  void decode(std::span<const SsdRows> rows, float score_min, std::vector<Detection>& found) const;

  [[nodiscard]] std::size_t keypoint_count() const { return keypoint_count_; }

 private:
  std::vector<media::Point> anchors_;  // in input pixels
  std::size_t keypoint_count_;
};

}  // namespace slipway::pipelines::mediapipe
