#pragma once

#include <array>
#include <vector>

#include "pipelines/common/timing.hpp"
#include "pipelines/mediapipe_common/landmark.hpp"
#include "pipelines/mediapipe_common/region.hpp"
#include "pipelines/mediapipe_hand/config.hpp"

namespace slipway::pipelines::mediapipe_hand {

using mediapipe::Landmark;

/// One hand, in pixels of the picture.
struct Hand {
  Box box;                     ///< the palm's; of a tracked hand the smallest box around its landmarks
  float score = 0;             ///< the palm detector's; of a tracked hand the landmark network's
  int track_id = -1;           ///< the same from frame to frame of a sequence; -1 in single pictures
  bool has_keypoints = false;  ///< false: it was tracked, the palm detector did not see it
  bool has_landmarks = false;
  float presence = 0;   ///< with landmarks: the probability that there is a hand
  float left_hand = 0;  ///< with landmarks: MediaPipe's probability of "Left", which takes the picture as mirrored
  std::array<media::Point, kKeypointCount> keypoints{};
  mediapipe::Region region;  ///< with landmarks: what the landmark network saw
  std::array<Landmark, kLandmarkCount> landmarks{};
  std::array<Landmark, kLandmarkCount>
      world_landmarks{};  ///< metres, about the hand's middle, turned as the picture is

  /// As MediaPipe names it, which takes the picture as mirrored (a selfie): in an ordinary picture it is the other one.
  [[nodiscard]] bool is_right() const { return left_hand < 0.5F; }
};

/// What one picture gave.
struct Detections {
  std::vector<Hand> hands;  ///< tracked ones first, then best first; the memory is reused
  bool detector_ran = false;
  int landmark_runs = 0;
  StageTimes times;           ///< of both networks together
  StageTimes detector_times;  ///< the detector's part
};

}  // namespace slipway::pipelines::mediapipe_hand
