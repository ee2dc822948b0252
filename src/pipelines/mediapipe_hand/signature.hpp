#pragma once

#include <cstddef>
#include <vector>

#include "base/error.hpp"
#include "pipelines/mediapipe_common/detector.hpp"

namespace slipway::pipelines::mediapipe_hand {

/// Of a palm: wrist, roots of index, middle, ring and little finger, thumb's first and second joint.
inline constexpr std::size_t kKeypointCount = 7;
/// Of a hand: wrist, then four joints of each finger from root to tip, thumb first.
inline constexpr std::size_t kLandmarkCount = 21;

/// 192 pixels in; 2016 rows of 18 coordinates and one logit out. The lite and the full network have one signature.
[[nodiscard]] const mediapipe::DetectorFamily& detector_family();

struct LandmarkSignature : mediapipe::NetworkSignature {
  std::size_t landmarks = 0;  ///< indices among the model's outputs
  std::size_t presence = 1;
  std::size_t handedness = 2;
  std::size_t world = 3;
};

/// Recognises the landmark network: 224 pixels in; two outputs of 63 values and two of one. Where names do not tell
/// outputs of one shape apart, MediaPipe's order does: landmarks, presence, handedness, world landmarks.
/// @error kInvalidArgument
[[nodiscard]] base::Result<LandmarkSignature> read_landmark_signature(const std::vector<tensor::TensorSpec>& inputs,
                                                                      const std::vector<tensor::TensorSpec>& outputs,
                                                                      const mediapipe::Quantizations& quantization,
                                                                      int batch = 1);

}  // namespace slipway::pipelines::mediapipe_hand
