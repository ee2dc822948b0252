#pragma once

#include <array>
#include <vector>

#include "pipelines/mediapipe_common/found_object.hpp"
#include "pipelines/mediapipe_pose/config.hpp"

namespace slipway::pipelines::mediapipe_pose {

using mediapipe::Landmark;

/// One person, in pixels of the picture; the detector's box is the face's.
struct Pose : mediapipe::FoundObject<kKeypointCount, kLandmarkCount> {
  std::array<float, kLandmarkCount> visibility{};          ///< probability that the landmark is seen, not hidden
  std::array<Landmark, kLandmarkCount> world_landmarks{};  ///< metres, about the hips' middle, turned as the picture is
  std::array<Landmark, kAuxiliaryCount> auxiliary{};
};

/// What one picture gave.
struct Detections : mediapipe::PictureRuns {
  std::vector<Pose> poses;  ///< one or none with landmarks; the memory is reused
};

}  // namespace slipway::pipelines::mediapipe_pose
