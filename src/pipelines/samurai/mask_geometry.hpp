#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "pipelines/common/box.hpp"

namespace slipway::pipelines::samurai {

// A mask is logits on a square grid; above 0 is the object. Enlarging is bilinear with half-pixel centres and repeated
// edges, in single precision as PyTorch's.

/// Where the logits, enlarged to size × size, are above 0: [min x, min y, max x, max y], inclusive; zeros for an empty
/// mask. Enlarged rows that cannot hold the object are not computed.
/// @param logits  side × side
/// @thread pure function
/// @source python/reference/samurai
[[nodiscard]] Box enlarged_bounds(std::span<const float> logits, int side, int size);

/// A mask at an image's size.
struct Mask {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> pixels;  ///< 0 or 1, rows without gaps
  Box box;                           ///< bounds of the ones, inclusive; zeros when there are none
  std::int64_t area = 0;             ///< number of ones
};

/// Enlarges (or shrinks) the logits to an image's size and cuts at 0. The memory of `mask` is reused.
/// @param logits  side × side
void enlarge_and_cut(std::span<const float> logits, int side, int width, int height, Mask& mask);

/// A plane of values and its sides.
struct Plane {
  int width = 0;
  int height = 0;
  std::vector<float> values;  ///< rows without gaps
};

/// A plane at another size, bilinear with antialias: each value is a mean weighed by a triangle, two new pixels wide
/// where the plane shrinks; at the borders the weights that are left count in full.
/// @source torch.nn.functional.interpolate(…, mode="bilinear", antialias=True), as SAM 2 brings a mask prompt to the
///         network's size and that to a quarter
[[nodiscard]] Plane resized_with_antialias(const Plane& plane, int width, int height);

}  // namespace slipway::pipelines::samurai
