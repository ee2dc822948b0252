#pragma once

#include <vector>

#include "pipelines/mediapipe_common/found_object.hpp"
#include "pipelines/mediapipe_face/config.hpp"

namespace slipway::pipelines::mediapipe_face {

using mediapipe::Landmark;

/// One face, in pixels of the picture.
using Face = mediapipe::FoundObject<kKeypointCount, kLandmarkCount>;

/// What one picture gave.
struct Detections : mediapipe::PictureRuns {
  std::vector<Face> faces;  ///< tracked ones first, then best first; the memory is reused
};

}  // namespace slipway::pipelines::mediapipe_face
