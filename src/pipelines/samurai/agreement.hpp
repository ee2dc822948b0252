#pragma once

#include <span>

#include "pipelines/samurai/mask_geometry.hpp"

namespace slipway::pipelines::samurai {

/// How far a mask is from a reference.
struct MaskAgreement {
  double logits_relative = 0;  ///< largest |difference| of the logits over the reference's largest |logit|
  double iou = 1;              ///< of the masks at the image's size; 1 when both are empty
  double box_difference = 0;   ///< largest difference of the boxes' four sides, in pixels of the image
};

/// @param logits, reference  side × side; compared as they are, and as masks of width × height
/// @thread pure function
[[nodiscard]] MaskAgreement compare_masks(std::span<const float> logits, std::span<const float> reference, int side,
                                          int width, int height);

}  // namespace slipway::pipelines::samurai
