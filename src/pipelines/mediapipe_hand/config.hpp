#pragma once

#include <cstddef>
#include <optional>

#include "pipelines/mediapipe_common/signature.hpp"

namespace slipway::pipelines::mediapipe_hand {

/// Of a palm: wrist, roots of index, middle, ring and little finger, thumb's first and second joint.
inline constexpr std::size_t kKeypointCount = 7;
/// Of a hand: wrist, then four joints of each finger from root to tip, thumb first.
inline constexpr std::size_t kLandmarkCount = 21;

/// The choices a user has.
struct Config {
  std::optional<float> score_min;  ///< lowest score of a palm, in [0, 1]; nothing: 0.5
  float presence_min = 0.5F;       ///< lowest probability of the landmark network that it sees a hand, in [0, 1]
  double iou_max = 0.3;            ///< above it two boxes are of one palm
  std::optional<int> max_hands;    ///< nothing: every hand of a single picture, two of a sequence
  bool find_landmarks = true;      ///< false: the palm detector alone
  bool smooth = false;             ///< sequences: One-Euro smoothing, which MediaPipe's Hands has not
  mediapipe::Quantizations detector_quantization;  ///< of integer inputs and outputs, by name
  mediapipe::Quantizations landmark_quantization;
};

}  // namespace slipway::pipelines::mediapipe_hand
