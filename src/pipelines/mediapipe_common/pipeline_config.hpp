#pragma once

#include <optional>

#include "pipelines/mediapipe_common/signature.hpp"

namespace slipway::pipelines::mediapipe {

/// The choices a user has with each of MediaPipe's graphs.
struct PipelineConfig {
  std::optional<float> score_min;  ///< lowest score of the detector, in [0, 1]; nothing: the network's own
  float presence_min = 0.5F;       ///< lowest probability of the landmark network that it sees something, in [0, 1]
  double iou_max = 0.3;            ///< above it two boxes are of one object
  bool find_landmarks = true;      ///< false: the detector alone
  bool smooth = false;             ///< sequences: One-Euro smoothing of landmarks
  /// Pictures a run of the detector, regions a run of the landmark network: at least 1, and what networks of a fixed
  /// batch have.
  int batch = 1;
  Quantizations detector_quantization;  ///< of integer inputs and outputs, by name
  Quantizations landmark_quantization;
};

/// @error kInvalidArgument: less than one is wanted
[[nodiscard]] inline base::Result<void> check_most(const std::optional<int>& most, std::string_view plural) {
  if (!most || *most >= 1) return {};
  return base::fail(base::Code::kInvalidArgument, "the most {}: expected 1 or more, found {}", plural, *most);
}

}  // namespace slipway::pipelines::mediapipe
