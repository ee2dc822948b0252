#pragma once

#include <array>
#include <cstddef>

#include "pipelines/common/timing.hpp"
#include "pipelines/mediapipe_common/landmark.hpp"
#include "pipelines/mediapipe_common/region.hpp"

namespace slipway::pipelines::mediapipe {

/// What all of MediaPipe's graphs find of a face, a hand or a person, in pixels of the picture.
template <std::size_t keypoint_count, std::size_t landmark_count>
struct FoundObject {
  Box box;                     ///< the detector's; of a tracked object the smallest box around its landmarks
  float score = 0;             ///< the detector's; of a tracked object the landmark network's
  int track_id = -1;           ///< the same from frame to frame of a sequence; -1 in single pictures
  bool has_keypoints = false;  ///< false: it was tracked, the detector did not see it
  bool has_landmarks = false;
  float presence = 0;  ///< with landmarks: the probability that it is there
  std::array<media::Point, keypoint_count> keypoints{};
  Region region;  ///< with landmarks: what the landmark network saw
  std::array<Landmark, landmark_count> landmarks{};
};

/// What one picture took.
struct PictureRuns {
  bool detector_ran = false;
  int landmark_runs = 0;      ///< regions that the landmark network was asked about
  StageTimes times;           ///< of both networks together; of a run for several pictures an equal share
  StageTimes detector_times;  ///< the detector's part
};

}  // namespace slipway::pipelines::mediapipe
