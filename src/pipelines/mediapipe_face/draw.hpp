#pragma once

#include <vector>

#include "media/draw.hpp"
#include "pipelines/mediapipe_face/face.hpp"

namespace slipway::pipelines::mediapipe_face {

/// Draws boxes, key points, landmarks with the lines of lips, eyes, brows and outline (MediaPipe's contours), and
/// scores.
void draw_faces(media::Image& image, const std::vector<Face>& faces);

}  // namespace slipway::pipelines::mediapipe_face
