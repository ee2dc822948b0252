#pragma once

#include <array>
#include <cstddef>

#include "media/draw.hpp"
#include "pipelines/common/box.hpp"

namespace slipway::pipelines::mediapipe {

inline constexpr std::size_t kMostKeypoints = 8;  ///< a face has 6, a palm 7, a pose 4

/// What an SSD detector finds: a box and key points, in pixels of its input or of the picture.
struct Detection {
  Box box;
  float score = 0;
  std::array<media::Point, kMostKeypoints> keypoints{};
};

}  // namespace slipway::pipelines::mediapipe
