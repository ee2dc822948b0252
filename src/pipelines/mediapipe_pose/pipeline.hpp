#pragma once

#include "pipelines/mediapipe_common/pipeline.hpp"
#include "pipelines/mediapipe_pose/pose.hpp"

namespace slipway::pipelines::mediapipe_pose {

using mediapipe::Models;

/// What makes a pipeline one of poses.
struct PoseKind {
  using Config = mediapipe_pose::Config;
  using Detections = mediapipe_pose::Detections;
  struct Graph;  // graph.hpp
};

/// Finds people with four key points, and one person's pose with 33 landmarks. MediaPipe's rules.
///
///   auto pipeline = MediapipePose::load(environment, {"mediapipe_pose", {}}, {}, {});
///   Detections found;
///   auto done = (*pipeline)->run(image.view(), found);
using MediapipePose = mediapipe::Pipeline<PoseKind>;

}  // namespace slipway::pipelines::mediapipe_pose
