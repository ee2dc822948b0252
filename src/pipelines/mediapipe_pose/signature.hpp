#pragma once

#include <cstddef>
#include <vector>

#include "base/error.hpp"
#include "pipelines/mediapipe_common/detector.hpp"

namespace slipway::pipelines::mediapipe_pose {

/// Of a detected person: hips' middle, a point of the circle around the body, shoulders' middle, one around the head.
inline constexpr std::size_t kKeypointCount = 4;
/// Of a pose: 11 of the head, then shoulders to finger tips, hips to toes; left before right.
inline constexpr std::size_t kLandmarkCount = 33;
/// What the network says besides, to be followed by: the circle's middle and a point on it.
inline constexpr std::size_t kAuxiliaryCount = 2;

/// 224 pixels in; 2254 rows of 12 coordinates and one logit out.
[[nodiscard]] const mediapipe::DetectorFamily& detector_family();

/// Landmarks that the network gives, of which 33 and 2 are of use; values each: x, y, z, visibility, presence.
inline constexpr std::size_t kNetworkLandmarks = 39, kNetworkColumns = 5;
inline constexpr std::size_t kHeatmapSide = 64;

struct LandmarkSignature : mediapipe::NetworkSignature {
  std::size_t landmarks = 0;  ///< indices among the model's outputs
  std::size_t presence = 0;
  std::size_t heatmap = 0;
  std::size_t world = 0;
};

/// Recognises the landmark network: 256 pixels in; 195, 1, 64×64×39 and 117 values out. A mask beside them is not read.
/// @error kInvalidArgument
[[nodiscard]] base::Result<LandmarkSignature> read_landmark_signature(const std::vector<tensor::TensorSpec>& inputs,
                                                                      const std::vector<tensor::TensorSpec>& outputs,
                                                                      const mediapipe::Quantizations& quantization,
                                                                      int batch = 1);

}  // namespace slipway::pipelines::mediapipe_pose
