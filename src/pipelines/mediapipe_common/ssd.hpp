#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "media/draw.hpp"
#include "pipelines/common/box.hpp"
#include "pipelines/common/real_values.hpp"

// What a BlazeFace-like network says: anchors, rows of boxes and key points, suppression of what overlaps.
namespace slipway::pipelines::mediapipe {

inline constexpr std::size_t kMostKeypoints = 8;  ///< a face has 6, a palm 7, a pose 4

/// What an SSD detector finds: a box and key points, in pixels of its input or of the image.
struct Detection {
  Box box;
  float score = 0;
  std::uint32_t row = 0;  ///< its anchor; of two equal scores the lower comes first
  std::array<media::Point, kMostKeypoints> keypoints{};
};

/// One feature map of an SSD detector.
struct AnchorLayer {
  int stride = 8;    ///< input pixels a cell
  int per_cell = 2;  ///< anchors of one cell

  [[nodiscard]] std::size_t count(int input_size) const {
    const int cells = input_size / stride;
    return static_cast<std::size_t>(cells) * static_cast<std::size_t>(cells) * static_cast<std::size_t>(per_cell);
  }
};

/// Centres in 0 … 1 of the input, row by row, all anchors of a cell together, layer after layer; every anchor has the
/// size of the whole input (fixed_anchor_size).
/// @source SsdAnchorsCalculator of MediaPipe's graphs; python/reference/mediapipe_face/detector.py::make_anchors
[[nodiscard]] std::vector<media::Point> make_anchors(int input_size, std::span<const AnchorLayer> layers);

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

/// Best first: a detection and all that overlap it by more than `iou_max` become their mean, weighted by score; the
/// score is the best one's.
///
/// @param found  sorted by score on return, and otherwise used up
/// @param kept   receives the means; its memory is reused
/// @source NonMaxSuppressionCalculator, algorithm WEIGHTED;
///         python/reference/mediapipe_face/detector.py::suppress_weighted
void suppress_weighted(std::vector<Detection>& found, double iou_max, std::vector<Detection>& kept);

/// Best first: drops what overlaps a kept one by more than `iou_max`.
void suppress_greedily(std::vector<Detection>& found, double iou_max, std::vector<Detection>& kept);

}  // namespace slipway::pipelines::mediapipe
