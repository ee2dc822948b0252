#pragma once

#include <cstddef>
#include <optional>

#include "pipelines/mediapipe_common/pipeline_config.hpp"

namespace slipway::pipelines::mediapipe_hand {

/// Of a palm: wrist, roots of index, middle, ring and little finger, thumb's first and second joint.
inline constexpr std::size_t kKeypointCount = 7;
/// Of a hand: wrist, then four joints of each finger from root to tip, thumb first.
inline constexpr std::size_t kLandmarkCount = 21;

/// The choices a user has. Without score_min: 0.5. MediaPipe's Hands does not smooth.
struct Config : mediapipe::PipelineConfig {
  std::optional<int> max_hands;  ///< nothing: every hand of a single picture, two of a sequence
};

}  // namespace slipway::pipelines::mediapipe_hand
