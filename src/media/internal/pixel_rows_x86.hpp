#pragma once

#include "media/internal/pixel_rows.hpp"

// Hand-written vector versions of three row kernels for processors with AVX-512. Results equal the portable ones bit by
// bit. Each handles the first values of a row and returns how many: 0 on processors without the instructions.
namespace slipway::media::internal {

/// @source weigh_row
std::size_t weigh_row_avx512(const std::uint8_t* rgb, std::size_t pixels, const std::array<std::int32_t, 3>& weights,
                             float gain, float bias, const std::uint8_t* next, float* out);

/// @return  groups
/// @source pick_pixels
std::size_t pick_pixels_avx512(const std::uint8_t* rgb, std::size_t row_bytes, std::span<const PixelGroup> groups,
                               const std::uint8_t* next, std::uint8_t* out);

/// Sixteen columns that read from at most 32 neighbouring values are picked out of two registers; gathers, which
/// compilers choose, are several times slower. Stops where columns lie further apart.
/// @source resample_row
std::size_t resample_row_avx512(const float* row, const std::int32_t* left, const float* right_weight,
                                std::size_t count, float* out);

}  // namespace slipway::media::internal
