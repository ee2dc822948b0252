#pragma once

#include <cstdint>

#include "media/image.hpp"

namespace slipway::media::internal {

/// The orientation that a container's display matrix asks for: the nearest of the eight that quarter turns and mirrors
/// make. @param matrix  nine numbers as libav gives them; nullptr: upright
[[nodiscard]] Orientation orientation_of(const std::int32_t* matrix);

/// Whether rows of the stored image become columns of the shown one.
[[nodiscard]] inline bool swaps_sides(Orientation orientation) {
  return static_cast<int>(orientation) >= static_cast<int>(Orientation::kTransposed);
}

}  // namespace slipway::media::internal
