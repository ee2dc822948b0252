#pragma once

#include <cstddef>
#include <optional>

#include "pipelines/mediapipe_common/signature.hpp"

namespace slipway::pipelines::mediapipe_pose {

/// Of a detected person: hips' middle, a point of the circle around the body, shoulders' middle, one around the head.
inline constexpr std::size_t kKeypointCount = 4;
/// Of a pose: 11 of the head, then shoulders to finger tips, hips to toes; left before right.
inline constexpr std::size_t kLandmarkCount = 33;
/// What the network says besides, to be followed by: the circle's middle and a point on it.
inline constexpr std::size_t kAuxiliaryCount = 2;

/// The choices a user has. One person is found, the one the detector is surest of.
struct Config {
  std::optional<float> score_min;  ///< lowest score of a person, in [0, 1]; nothing: 0.5
  float presence_min = 0.5F;       ///< lowest probability of the landmark network that it sees a person, in [0, 1]
  double iou_max = 0.3;            ///< above it two boxes are of one person
  bool find_landmarks = true;      ///< false: the detector alone, and everyone it finds
  bool smooth = true;              ///< sequences: One-Euro smoothing of landmarks, as MediaPipe's Pose has
  mediapipe::Quantizations detector_quantization;  ///< of integer inputs and outputs, by name
  mediapipe::Quantizations landmark_quantization;
};

}  // namespace slipway::pipelines::mediapipe_pose
