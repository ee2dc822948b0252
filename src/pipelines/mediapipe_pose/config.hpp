#pragma once

#include <cstddef>

#include "pipelines/mediapipe_common/pipeline_config.hpp"

namespace slipway::pipelines::mediapipe_pose {

/// Of a detected person: hips' middle, a point of the circle around the body, shoulders' middle, one around the head.
inline constexpr std::size_t kKeypointCount = 4;
/// Of a pose: 11 of the head, then shoulders to finger tips, hips to toes; left before right.
inline constexpr std::size_t kLandmarkCount = 33;
/// What the network says besides, to be followed by: the circle's middle and a point on it.
inline constexpr std::size_t kAuxiliaryCount = 2;

/// The choices a user has. Without score_min: 0.5. One person is found, the one the detector is surest of; without
/// landmarks everyone. As MediaPipe's Pose it smooths landmarks and visibility unless told otherwise.
struct Config : mediapipe::PipelineConfig {
  Config() { smooth = true; }
};

}  // namespace slipway::pipelines::mediapipe_pose
