#pragma once

#include <array>
#include <vector>

#include "pipelines/mediapipe_common/found_object.hpp"
#include "pipelines/mediapipe_hand/config.hpp"

namespace slipway::pipelines::mediapipe_hand {

using mediapipe::Landmark;

/// One hand, in pixels of the picture; the detector's box is the palm's.
struct Hand : mediapipe::FoundObject<kKeypointCount, kLandmarkCount> {
  float left_hand = 0;  ///< with landmarks: MediaPipe's probability of "Left", which takes the picture as mirrored
  std::array<Landmark, kLandmarkCount>
      world_landmarks{};  ///< metres, about the hand's middle, turned as the picture is

  /// As MediaPipe names it, which takes the picture as mirrored (a selfie): in an ordinary picture it is the other one.
  [[nodiscard]] bool is_right() const { return left_hand < 0.5F; }
};

/// What one picture gave.
struct Detections : mediapipe::PictureRuns {
  std::vector<Hand> hands;  ///< tracked ones first, then best first; the memory is reused
};

}  // namespace slipway::pipelines::mediapipe_hand
