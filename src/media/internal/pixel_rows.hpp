#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

// Row kernels: plain loops that the compiler turns into vector code, built for several instruction sets where the
// platform can choose at load time. Multiplications and additions are never fused, so all versions give equal bits.
namespace slipway::media::internal {

/// What buffers of float rows have beyond their last value, so that kernels may load whole vectors.
inline constexpr std::size_t kSpareValues = 32;

/// Asks for memory that is read soon: processors fetch ahead by themselves only within a page, and a row of an image
/// is about one.
inline void prefetch(const std::uint8_t* bytes, std::size_t count) {
  constexpr std::size_t kCacheLine = 64;
  for (std::size_t i = 0; i < count; i += kCacheLine) __builtin_prefetch(bytes + i);
}

/// Pixels that lie so near that vector code picks them out of two registers.
struct PixelGroup {
  static constexpr std::size_t kReach = 128;  // bytes
  std::uint32_t first_byte = 0;               ///< of a row
  std::uint32_t bytes = 0;                    ///< three a pixel
  std::array<std::uint8_t, 64> offset = {};   ///< of each byte from the first
};

/// What pick_pixels() copies for these columns.
/// @pre columns grows
void group_pixels(std::span<const std::int32_t> columns, std::vector<PixelGroup>& groups);

/// Copies the grouped pixels of a row behind each other.
/// @param next  the row whose pixels are picked after this one, fetched meanwhile; may be rgb
/// @pre out has kSpareBytes writable bytes after the last pixel
void pick_pixels(const std::uint8_t* rgb, std::size_t row_bytes, std::span<const PixelGroup> groups,
                 const std::uint8_t* next, std::uint8_t* out);

/// Whether this processor picks pixels in much less time than it weighs them.
[[nodiscard]] bool picks_fast();

/// What the pixels picked from a row have behind them.
inline constexpr std::size_t kSpareBytes = 64;

/// One value a pixel: out[x] = (R·weights[0] + G·weights[1] + B·weights[2])·gain + bias, the sum in whole numbers.
/// @param next  the row that is weighed after this one, fetched meanwhile; may be rgb
/// @pre weights are in 0 … 16319, and 255 times their sum is below 2^24
void weigh_row(const std::uint8_t* rgb, std::size_t pixels, const std::array<std::int32_t, 3>& weights, float gain,
               float bias, const std::uint8_t* next, float* out);

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
