#pragma once

#include <cstddef>
#include <optional>

#include "pipelines/mediapipe_common/pipeline_config.hpp"
#include "pipelines/mediapipe_common/rules.hpp"

namespace slipway::pipelines::mediapipe_face {

using mediapipe::Rules;

inline constexpr std::size_t kKeypointCount = 6;  ///< right eye, left eye, nose, mouth, right ear, left ear
inline constexpr std::size_t kLandmarkCount = 468;

/// The choices a user has. Without score_min: 0.5, for the full range 0.6, for kQaiHub 0.8. FaceLandmarker smooths,
/// FaceMesh does not.
struct Config : mediapipe::PipelineConfig {
  Rules rules = Rules::kMediapipe;
  /// Nothing: every face of a single picture, one of a sequence; with kQaiHub always one.
  std::optional<int> max_faces;
};

}  // namespace slipway::pipelines::mediapipe_face
