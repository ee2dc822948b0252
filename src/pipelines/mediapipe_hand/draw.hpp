#pragma once

#include <vector>

#include "media/draw.hpp"
#include "pipelines/mediapipe_hand/hand.hpp"

namespace slipway::pipelines::mediapipe_hand {

/// Draws boxes, bones and joints, and which hand it is.
void draw_hands(media::Image& image, const std::vector<Hand>& hands);

}  // namespace slipway::pipelines::mediapipe_hand
