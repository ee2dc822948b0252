#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "media/draw.hpp"

namespace slipway::pipelines::mediapipe {

/// One feature map of an SSD detector.
struct AnchorLayer {
  int stride = 8;    ///< input pixels a cell
  int per_cell = 2;  ///< anchors of one cell

  [[nodiscard]] std::size_t count(int input_size) const {
    const int cells = input_size / stride;
    return static_cast<std::size_t>(cells) * static_cast<std::size_t>(cells) * static_cast<std::size_t>(per_cell);
  }
};

/// Centres in 0 … 1 of the input, row by row, all anchors of a cell together, layer after layer; every anchor has the
/// size of the whole input (fixed_anchor_size).
/// @source SsdAnchorsCalculator of MediaPipe's graphs; python/reference/mediapipe_face/detector.py::make_anchors
[[nodiscard]] std::vector<media::Point> make_anchors(int input_size, std::span<const AnchorLayer> layers);

}  // namespace slipway::pipelines::mediapipe
