#pragma once

#include <cstddef>
#include <cstdint>

#include "media/image.hpp"

// Kernels of the warp: positions and bilinear samples in whole numbers, so that every instruction set gives equal bits.
namespace slipway::media::internal {

inline constexpr int kWarpBits = 5;            ///< positions are multiples of 1/32 pixel
inline constexpr std::size_t kWarpSpare = 16;  ///< bytes behind a row of samples that may be written

/// out[i] = round_half_even((start + step·i) · 32), for |position| below 2^25.
void warp_positions(double start, double step, std::size_t count, std::int32_t* out);

/// RGB samples of a row of positions; `out` has kWarpSpare more bytes than 3·count.
void sample_row(ImageView image, const std::int32_t* x, const std::int32_t* y, std::size_t count, bool replicate,
                std::uint8_t* out);

/// out[i] = values[i]·gain + bias
void scale_row(const std::uint8_t* values, std::size_t count, float gain, float bias, float* out);

}  // namespace slipway::media::internal
