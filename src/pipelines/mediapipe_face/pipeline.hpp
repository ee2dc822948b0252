#pragma once

#include "pipelines/mediapipe_common/pipeline.hpp"
#include "pipelines/mediapipe_face/face.hpp"

namespace slipway::pipelines::mediapipe_face {

using mediapipe::Models;

/// What makes a pipeline one of faces.
struct FaceKind {
  using Config = mediapipe_face::Config;
  using Detections = mediapipe_face::Detections;
  struct Graph;  // graph.hpp
};

/// Finds faces with six key points and 468 landmarks.
///
///   auto pipeline = MediapipeFace::load(environment, {"mediapipe_face", {}}, {}, {});
///   Detections found;
///   auto done = (*pipeline)->run(image.view(), found);
using MediapipeFace = mediapipe::Pipeline<FaceKind>;

}  // namespace slipway::pipelines::mediapipe_face
