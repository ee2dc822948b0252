#pragma once

#include <array>
#include <vector>

#include "pipelines/common/timing.hpp"
#include "pipelines/mediapipe_common/landmark.hpp"
#include "pipelines/mediapipe_common/region.hpp"
#include "pipelines/mediapipe_pose/config.hpp"

namespace slipway::pipelines::mediapipe_pose {

using mediapipe::Landmark;

/// One person, in pixels of the picture.
struct Pose {
  Box box;                     ///< the detector's (the face); of a tracked person the smallest box around the landmarks
  float score = 0;             ///< the detector's; of a tracked person the landmark network's
  int track_id = -1;           ///< the same from frame to frame of a sequence; -1 in single pictures
  bool has_keypoints = false;  ///< false: the person was tracked, the detector did not run
  bool has_landmarks = false;
  float presence = 0;  ///< with landmarks: the probability that there is a person
  std::array<media::Point, kKeypointCount> keypoints{};
  mediapipe::Region region;  ///< with landmarks: what the landmark network saw
  std::array<Landmark, kLandmarkCount> landmarks{};
  std::array<float, kLandmarkCount> visibility{};          ///< probability that the landmark is seen, not hidden
  std::array<Landmark, kLandmarkCount> world_landmarks{};  ///< metres, about the hips' middle, turned as the picture is
  std::array<Landmark, kAuxiliaryCount> auxiliary{};
};

/// What one picture gave.
struct Detections {
  std::vector<Pose> poses;  ///< one or none with landmarks; the memory is reused
  bool detector_ran = false;
  int landmark_runs = 0;
  StageTimes times;           ///< of both networks together
  StageTimes detector_times;  ///< the detector's part
};

}  // namespace slipway::pipelines::mediapipe_pose
