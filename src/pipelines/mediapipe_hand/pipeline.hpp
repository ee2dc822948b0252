#pragma once

#include "pipelines/mediapipe_common/pipeline.hpp"
#include "pipelines/mediapipe_hand/hand.hpp"

namespace slipway::pipelines::mediapipe_hand {

using mediapipe::Models;

/// What makes a pipeline one of hands.
struct HandKind {
  using Config = mediapipe_hand::Config;
  using Detections = mediapipe_hand::Detections;
  struct Graph;  // graph.hpp
};

/// Finds hands: palms with seven key points, hands with 21 landmarks, and which hand it is. MediaPipe's rules.
///
///   auto pipeline = MediapipeHand::load(environment, {"mediapipe_hand", {}}, {}, {});
///   Detections found;
///   auto done = (*pipeline)->run(image.view(), found);
using MediapipeHand = mediapipe::Pipeline<HandKind>;

}  // namespace slipway::pipelines::mediapipe_hand
