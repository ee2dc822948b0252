#pragma once

#include <cstddef>
#include <cstdint>

// Hand-written vector versions of two row kernels for processors with AVX-512. Results equal the portable ones bit by
// bit. Each handles the first values of a row and returns how many: 0 on processors without the instructions.
namespace slipway::media::internal {

/// @source weigh_row
std::size_t weigh_row_avx512(const std::uint8_t* rgb, std::size_t pixels, const float weights[3], float bias,
                             float* out);

/// Sixteen columns that read from at most 32 neighbouring values are picked out of two registers; gathers, which
/// compilers choose, are several times slower. Stops where columns lie further apart.
/// @source resample_row
std::size_t resample_row_avx512(const float* row, const std::int32_t* left, const float* right_weight,
                                std::size_t count, float* out);

}  // namespace slipway::media::internal
