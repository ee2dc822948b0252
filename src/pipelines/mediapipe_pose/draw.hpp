#pragma once

#include <vector>

#include "media/draw.hpp"
#include "pipelines/mediapipe_pose/pose.hpp"

namespace slipway::pipelines::mediapipe_pose {

/// Draws boxes, bones and joints; what is likely hidden (visibility below 0.5) is left out.
void draw_poses(media::Image& image, const std::vector<Pose>& poses);

}  // namespace slipway::pipelines::mediapipe_pose
