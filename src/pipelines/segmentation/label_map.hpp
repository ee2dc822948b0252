#pragma once

#include <cstdint>
#include <vector>

#include "media/fit.hpp"

namespace slipway::pipelines::segmentation {

inline constexpr int kMostClasses = 255;

/// A class for every input pixel under the image: the letterbox's padding is cut off, so the map covers the image
/// from edge to edge, at the network's resolution.
struct LabelMap {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> labels;  ///< row by row

  [[nodiscard]] bool empty() const { return labels.empty(); }
  [[nodiscard]] std::uint8_t at(int x, int y) const {
    return labels[static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x)];
  }
};

/// The nearest cell of `cells` for a pixel of `pixels`: floor((i + 0.5) · cells / pixels).
/// @pre 0 ≤ i < pixels
[[nodiscard]] inline int nearest_cell(int i, int pixels, int cells) {
  return static_cast<int>((std::int64_t{2} * i + 1) * cells / (std::int64_t{2} * pixels));
}

}  // namespace slipway::pipelines::segmentation
