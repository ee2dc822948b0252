#pragma once

#include <cstddef>
#include <cstdint>

// Row kernels: plain loops that the compiler turns into vector code, built for several instruction sets where the
// platform can choose at load time. Multiplications and additions are never fused, so all versions give equal bits.
namespace slipway::media::internal {

/// What buffers of float rows have beyond their last value, so that kernels may load whole vectors.
inline constexpr std::size_t kSpareValues = 32;

/// One value a pixel: out[x] = R·weights[0] + G·weights[1] + B·weights[2] + bias.
void weigh_row(const std::uint8_t* rgb, std::size_t pixels, const float weights[3], float bias, float* out);

/// One channel: out[x] = rgb[3·x]·gain + bias. Point `rgb` at the channel.
void pick_row(const std::uint8_t* rgb, std::size_t pixels, float gain, float bias, float* out);

/// out = upper·(1 − lower_weight) + lower·lower_weight
void mix_rows(const float* upper, const float* lower, std::size_t count, float lower_weight, float* out);

/// out[x] = row[left[x]]·(1 − right_weight[x]) + row[left[x] + 1]·right_weight[x].
/// @pre left grows; row has kSpareValues readable values after its last pixel
void resample_row(const float* row, const std::int32_t* left, const float* right_weight, std::size_t count, float* out);

/// Quantises; saturates to the type's limits, halves go to even.
void quantize_row(const float* row, std::size_t count, float scale, float zero_point, std::uint8_t* out);
void quantize_row(const float* row, std::size_t count, float scale, float zero_point, std::int8_t* out);
void quantize_row(const float* row, std::size_t count, float scale, float zero_point, std::uint16_t* out);
void quantize_row(const float* row, std::size_t count, float scale, float zero_point, std::int16_t* out);

/// Rounds to binary16, to nearest even.
void half_row(const float* row, std::size_t count, std::uint16_t* out);

}  // namespace slipway::media::internal
