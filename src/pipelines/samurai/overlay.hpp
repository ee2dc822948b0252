#pragma once

#include "media/image.hpp"
#include "pipelines/samurai/tracker.hpp"

namespace slipway::pipelines::samurai {

/// Tints each object's mask in its colour, draws its box, its number and the predicted IoU. Hidden objects are left
/// out.
/// @pre the image has the masks' size
void draw_objects(media::Image& image, const FrameResult& result);

}  // namespace slipway::pipelines::samurai
