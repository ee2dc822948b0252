#pragma once

#include <array>
#include <vector>

#include "pipelines/common/timing.hpp"
#include "pipelines/mediapipe_common/detection.hpp"
#include "pipelines/mediapipe_common/region.hpp"
#include "pipelines/mediapipe_face/config.hpp"

namespace slipway::pipelines::mediapipe_face {

/// A point of the face mesh in pixels of the picture; z in the same unit, smaller is nearer.
struct Landmark {
  float x = 0;
  float y = 0;
  float z = 0;
};

/// One face, in pixels of the picture.
struct Face {
  Box box;                     ///< the detector's; of a tracked face the smallest box around its landmarks
  float score = 0;             ///< the detector's; of a tracked face the landmark network's
  int track_id = -1;           ///< the same from frame to frame of a sequence; -1 in single pictures
  bool has_keypoints = false;  ///< false: it was tracked, the detector did not see it
  bool has_landmarks = false;
  float presence = 0;  ///< with landmarks: the probability that there is a face
  std::array<media::Point, kKeypointCount> keypoints{};
  mediapipe::Region region;  ///< with landmarks: what the landmark network saw
  std::array<Landmark, kLandmarkCount> landmarks{};
};

/// What one picture gave.
struct Detections {
  std::vector<Face> faces;  ///< tracked ones first, then best first; the memory is reused
  bool detector_ran = false;
  int landmark_runs = 0;
  StageTimes times;           ///< of all networks together
  StageTimes detector_times;  ///< the detector's part
};

}  // namespace slipway::pipelines::mediapipe_face
