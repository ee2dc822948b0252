#pragma once

#include <vector>

#include "base/error.hpp"
#include "pipelines/mediapipe_common/signature.hpp"

namespace slipway::pipelines::mediapipe_hand {

/// 192 pixels in; 2016 rows of 18 coordinates and one logit out. The lite and the full network have one signature.
[[nodiscard]] const mediapipe::DetectorFamily& detector_family();

struct LandmarkSignature {
  PictureTensor input;
  std::size_t landmarks = 0;  ///< indices among the model's outputs
  std::size_t presence = 1;
  std::size_t handedness = 2;
  std::size_t world = 3;
  std::vector<tensor::TensorSpec> outputs;  ///< with their quantisation
};

/// Recognises the landmark network: 224 pixels in; two outputs of 63 values and two of one. Where names do not tell
/// outputs of one shape apart, MediaPipe's order does: landmarks, presence, handedness, world landmarks.
/// @error kInvalidArgument
[[nodiscard]] base::Result<LandmarkSignature> read_landmark_signature(const std::vector<tensor::TensorSpec>& inputs,
                                                                      const std::vector<tensor::TensorSpec>& outputs,
                                                                      const mediapipe::Quantizations& quantization,
                                                                      int batch = 1);

}  // namespace slipway::pipelines::mediapipe_hand
