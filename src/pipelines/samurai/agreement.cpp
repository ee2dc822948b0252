#include "pipelines/samurai/agreement.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace slipway::pipelines::samurai {

MaskAgreement compare_masks(std::span<const float> logits, std::span<const float> reference, int side, int width,
                            int height) {
  MaskAgreement agreement;
  double largest = 0, difference = 0;
  bool is_comparable = true;
  for (std::size_t i = 0; i < reference.size(); ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(reference[i])));
    difference = std::max(difference, std::abs(static_cast<double>(logits[i]) - static_cast<double>(reference[i])));
    is_comparable = is_comparable && std::isfinite(logits[i]) && std::isfinite(reference[i]);
  }
  // What is no number agrees with nothing.
  if (!is_comparable || (largest == 0 && difference > 0)) {
    agreement.logits_relative = std::numeric_limits<double>::infinity();
  } else {
    agreement.logits_relative = largest > 0 ? difference / largest : 0;
  }
  Mask ours, theirs;
  enlarge_and_cut(logits, side, width, height, ours);
  enlarge_and_cut(reference, side, width, height, theirs);
  std::int64_t both = 0;
  for (std::size_t i = 0; i < ours.pixels.size(); ++i) both += ours.pixels[i] & theirs.pixels[i];
  const std::int64_t either = ours.area + theirs.area - both;
  agreement.iou = either > 0 ? static_cast<double>(both) / static_cast<double>(either) : 1;
  for (const double Box::*edge : {&Box::x1, &Box::y1, &Box::x2, &Box::y2}) {
    agreement.box_difference = std::max(agreement.box_difference, std::abs(ours.box.*edge - theirs.box.*edge));
  }
  return agreement;
}

}  // namespace slipway::pipelines::samurai
