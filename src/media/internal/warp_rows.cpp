#include "media/internal/warp_rows.hpp"

#include <algorithm>
#include <bit>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "media/internal/vector_versions.hpp"

namespace slipway::media::internal {
namespace {

constexpr std::int32_t kUnit = 1 << kWarpBits;
constexpr std::int32_t kHalf = 1 << (2 * kWarpBits - 1);

/// One pixel whose neighbours may lie outside.
void sample_at_edge(ImageView image, std::int32_t x, std::int32_t y, bool replicate, std::uint8_t* out) {
  const std::int32_t left = x >> kWarpBits, top = y >> kWarpBits;
  const std::int32_t right_weight = x & (kUnit - 1), lower_weight = y & (kUnit - 1);
  std::int32_t sums[3] = {kHalf, kHalf, kHalf};
  for (int row = 0; row < 2; ++row) {
    for (int column = 0; column < 2; ++column) {
      const std::int32_t weight =
          (column == 1 ? right_weight : kUnit - right_weight) * (row == 1 ? lower_weight : kUnit - lower_weight);
      std::int32_t at_x = left + column, at_y = top + row;
      const bool is_inside = at_x >= 0 && at_x < image.width && at_y >= 0 && at_y < image.height;
      if (!is_inside && !replicate) continue;
      at_x = std::clamp(at_x, 0, image.width - 1);
      at_y = std::clamp(at_y, 0, image.height - 1);
      const std::uint8_t* pixel = image.row(at_y) + std::ptrdiff_t{3} * at_x;
      for (int c = 0; c < 3; ++c) sums[c] += weight * pixel[c];
    }
  }
  for (int c = 0; c < 3; ++c) out[c] = static_cast<std::uint8_t>(sums[c] >> (2 * kWarpBits));
}

#if defined(__SSE2__)
/// One pixel inside; reads 8 bytes of both rows and writes 4.
inline void sample_inside(const std::uint8_t* upper, std::ptrdiff_t stride, std::int32_t right_weight,
                          std::int32_t lower_weight, std::uint8_t* out) {
  const __m128i zero = _mm_setzero_si128();
  const __m128i above = _mm_unpacklo_epi8(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(upper)), zero);
  const __m128i below = _mm_unpacklo_epi8(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(upper + stride)), zero);
  // Up to 255 · 32 fits 16 bits: R0 G0 B0 R1 G1 B1 . .
  const __m128i mixed = _mm_add_epi16(_mm_mullo_epi16(above, _mm_set1_epi16(static_cast<short>(kUnit - lower_weight))),
                                      _mm_mullo_epi16(below, _mm_set1_epi16(static_cast<short>(lower_weight))));
  const __m128i pairs = _mm_unpacklo_epi16(mixed, _mm_srli_si128(mixed, 6));  // R0 R1 G0 G1 B0 B1 . .
  const __m128i weights = _mm_set1_epi32((right_weight << 16) | (kUnit - right_weight));
  const __m128i sums =
      _mm_srai_epi32(_mm_add_epi32(_mm_madd_epi16(pairs, weights), _mm_set1_epi32(kHalf)), 2 * kWarpBits);
  const __m128i words = _mm_packs_epi32(sums, zero);
  const int pixel = _mm_cvtsi128_si32(_mm_packus_epi16(words, zero));
  __builtin_memcpy(out, &pixel, sizeof pixel);
}
#else
inline void sample_inside(const std::uint8_t* upper, std::ptrdiff_t stride, std::int32_t right_weight,
                          std::int32_t lower_weight, std::uint8_t* out) {
  const std::uint8_t* lower = upper + stride;
  for (int c = 0; c < 3; ++c) {
    const std::int32_t left = upper[c] * (kUnit - lower_weight) + lower[c] * lower_weight;
    const std::int32_t right = upper[c + 3] * (kUnit - lower_weight) + lower[c + 3] * lower_weight;
    out[c] =
        static_cast<std::uint8_t>((left * (kUnit - right_weight) + right * right_weight + kHalf) >> (2 * kWarpBits));
  }
}
#endif

}  // namespace

SLIPWAY_VECTOR_VERSIONS
void warp_positions(double start, double step, std::size_t count, std::int32_t* __restrict out) {
  // Adding 1.5·2^52 leaves the rounded number in the low bits.
  constexpr double kRounder = 6755399441055744.0;
  const double from = start * kUnit, by = step * kUnit;
  for (std::size_t i = 0; i < count; ++i) {
    const double shifted = from + by * static_cast<double>(static_cast<std::int32_t>(i)) + kRounder;
    out[i] = static_cast<std::int32_t>(std::bit_cast<std::int64_t>(shifted));
  }
}

void sample_row(ImageView image, const std::int32_t* x, const std::int32_t* y, std::size_t count, bool replicate,
                std::uint8_t* out) {
  // Both neighbours inside; the last columns of the last row are left to the careful way, for 8 bytes are read.
  const auto columns = static_cast<std::uint32_t>(image.width - 2);
  const auto rows = static_cast<std::uint32_t>(image.height - 1);
  const bool is_wide_enough = image.width > 2 && image.height > 1;
  for (std::size_t i = 0; i < count; ++i) {
    const std::int32_t left = x[i] >> kWarpBits, top = y[i] >> kWarpBits;
    if (is_wide_enough && static_cast<std::uint32_t>(left) < columns && static_cast<std::uint32_t>(top) < rows) {
      sample_inside(image.row(top) + std::ptrdiff_t{3} * left, image.stride_bytes, x[i] & (kUnit - 1),
                    y[i] & (kUnit - 1), out + 3 * i);
    } else {
      sample_at_edge(image, x[i], y[i], replicate, out + 3 * i);
    }
  }
}

SLIPWAY_VECTOR_VERSIONS
void scale_row(const std::uint8_t* __restrict values, std::size_t count, float gain, float bias,
               float* __restrict out) {
  for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<float>(values[i]) * gain + bias;
}

}  // namespace slipway::media::internal
