#pragma once

#include <string>
#include <vector>

#include "media/image.hpp"
#include "pipelines/drone/pipeline.hpp"

namespace slipway::pipelines::drone {

/// Draws a scene over its image: classes of the ground, boxes with class, distance and surface, the horizon, a bar of
/// sectors at the lower edge (green: free, red: not) and the free heading.
/// @param labels   of the detector's classes
/// @param colours  of the segmenter's classes
void draw_scene(media::Image& image, const Scene& scene, const std::vector<std::string>& labels,
                const std::vector<media::Colour>& colours);

}  // namespace slipway::pipelines::drone
