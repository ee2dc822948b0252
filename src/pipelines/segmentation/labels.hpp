#pragma once

#include <string>
#include <vector>

#include "media/draw.hpp"

namespace slipway::pipelines::segmentation {

/// The 19 classes of Cityscapes in the order of its training ids.
[[nodiscard]] const std::vector<std::string>& cityscapes_labels();

/// A colour for each label: Cityscapes' own where the name is one of its, other ones by number.
[[nodiscard]] std::vector<media::Colour> colours_of(const std::vector<std::string>& labels);

}  // namespace slipway::pipelines::segmentation
