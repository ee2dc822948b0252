#pragma once

namespace slipway::pipelines::mediapipe {

/// Whose rules apply around the networks.
enum class Rules {
  kMediapipe,  ///< MediaPipe's graphs: weighted suppression, squares of 1.5 times the face, edges go on, tracking
  kQaiHub,     ///< the app of Qualcomm's package: whole pixels, plain suppression, boxes of 1.1 times, black edges
};

}  // namespace slipway::pipelines::mediapipe
