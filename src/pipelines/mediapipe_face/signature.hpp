#pragma once

#include <cstddef>
#include <vector>

#include "base/error.hpp"
#include "pipelines/mediapipe_common/detector.hpp"

namespace slipway::pipelines::mediapipe_face {

inline constexpr std::size_t kKeypointCount = 6;  ///< right eye, left eye, nose, mouth, right ear, left ear
inline constexpr std::size_t kLandmarkCount = 468;

using mediapipe::Quantizations;

/// Which detector it is: they differ in size and feature maps. The order is that of detector_family().
enum class Variant {
  kShortRange,  ///< 128×128, faces within 2 m
  kFullRange,   ///< 192×192, within 5 m; the sparse and the dense network have one signature
  kBack,        ///< 256×256, of Qualcomm's package and MediaPipePyTorch
};

/// 896 or 2304 rows of 16 coordinates and one logit, whole or split by feature map (512 + 384).
[[nodiscard]] const mediapipe::DetectorFamily& detector_family();

/// In what the landmark network counts.
enum class LandmarkUnit { kCropPixels, kCropFraction };

struct LandmarkSignature : mediapipe::NetworkSignature {
  std::size_t landmarks = 0;  ///< indices among the model's outputs
  std::size_t flag = 0;
  LandmarkUnit unit = LandmarkUnit::kCropPixels;
  bool flag_is_logit = true;
};

/// Recognises the landmark network: 192 pixels in; 1404 values and one value out. Values in three columns
/// ([1, 468, 3], Qualcomm's and MediaPipePyTorch's) are fractions of the crop beside a probability, values in a row
/// ([1, 1, 1, 1404], MediaPipe's) are pixels of the crop beside a logit.
/// @error kInvalidArgument
[[nodiscard]] base::Result<LandmarkSignature> read_landmark_signature(const std::vector<tensor::TensorSpec>& inputs,
                                                                      const std::vector<tensor::TensorSpec>& outputs,
                                                                      const Quantizations& quantization, int batch = 1);

}  // namespace slipway::pipelines::mediapipe_face
