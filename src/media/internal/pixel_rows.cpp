#include "media/internal/pixel_rows.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "media/internal/pixel_rows_x86.hpp"
#include "media/internal/vector_versions.hpp"
#include "tensor/float16.hpp"

namespace slipway::media::internal {
namespace {

/// Inlined into each version, so that it is compiled with that version's instructions.
template <typename Stored>
[[gnu::always_inline]] inline void quantize(const float* __restrict row, std::size_t count, float scale,
                                            float zero_point, Stored* __restrict out) {
  constexpr auto kLowest = static_cast<float>(std::numeric_limits<Stored>::min());
  constexpr auto kHighest = static_cast<float>(std::numeric_limits<Stored>::max());
  // Adding and taking away 1.5·2^23 rounds to the nearest whole number, halves to even, as nearbyint does.
  constexpr float kRounder = 12582912.0F;
  for (std::size_t i = 0; i < count; ++i) {
    // Beyond ±65536 the value saturates whatever the zero point is, and the rounding trick would not hold.
    const float scaled = std::min(std::max(row[i] / scale, -131072.0F), 131072.0F);
    const float whole = (scaled + kRounder) - kRounder;
    const float stored = std::min(std::max(whole + zero_point, kLowest), kHighest);
    out[i] = static_cast<Stored>(static_cast<std::int32_t>(stored));
  }
}

}  // namespace

namespace {

SLIPWAY_VECTOR_VERSIONS
void weigh_portably(const std::uint8_t* __restrict rgb, std::size_t pixels, const float weights[3], float bias,
                    float* __restrict out) {
  const float red = weights[0], green = weights[1], blue = weights[2];
  for (std::size_t x = 0; x < pixels; ++x) {
    out[x] = static_cast<float>(rgb[3 * x]) * red + static_cast<float>(rgb[3 * x + 1]) * green +
             static_cast<float>(rgb[3 * x + 2]) * blue + bias;
  }
}

}  // namespace

void weigh_row(const std::uint8_t* rgb, std::size_t pixels, const float weights[3], float bias, float* out) {
  const std::size_t done = weigh_row_avx512(rgb, pixels, weights, bias, out);
  weigh_portably(rgb + 3 * done, pixels - done, weights, bias, out + done);
}

SLIPWAY_VECTOR_VERSIONS
void pick_row(const std::uint8_t* __restrict rgb, std::size_t pixels, float gain, float bias, float* __restrict out) {
  for (std::size_t x = 0; x < pixels; ++x) out[x] = static_cast<float>(rgb[3 * x]) * gain + bias;
}

SLIPWAY_VECTOR_VERSIONS
void mix_rows(const float* __restrict upper, const float* __restrict lower, std::size_t count, float lower_weight,
              float* __restrict out) {
  const float upper_weight = 1.0F - lower_weight;
  for (std::size_t i = 0; i < count; ++i) out[i] = upper[i] * upper_weight + lower[i] * lower_weight;
}

void resample_row(const float* row, const std::int32_t* left, const float* right_weight, std::size_t count,
                  float* out) {
  for (std::size_t x = resample_row_avx512(row, left, right_weight, count, out); x < count; ++x) {
    const float* pair = row + left[x];
    out[x] = pair[0] * (1.0F - right_weight[x]) + pair[1] * right_weight[x];
  }
}

SLIPWAY_VECTOR_VERSIONS
void quantize_row(const float* row, std::size_t count, float scale, float zero_point, std::uint8_t* out) {
  quantize(row, count, scale, zero_point, out);
}
SLIPWAY_VECTOR_VERSIONS
void quantize_row(const float* row, std::size_t count, float scale, float zero_point, std::int8_t* out) {
  quantize(row, count, scale, zero_point, out);
}
SLIPWAY_VECTOR_VERSIONS
void quantize_row(const float* row, std::size_t count, float scale, float zero_point, std::uint16_t* out) {
  quantize(row, count, scale, zero_point, out);
}
SLIPWAY_VECTOR_VERSIONS
void quantize_row(const float* row, std::size_t count, float scale, float zero_point, std::int16_t* out) {
  quantize(row, count, scale, zero_point, out);
}

SLIPWAY_VECTOR_VERSIONS
void half_row(const float* __restrict row, std::size_t count, std::uint16_t* __restrict out) {
  for (std::size_t i = 0; i < count; ++i) out[i] = tensor::half_from_float(row[i]);
}

}  // namespace slipway::media::internal
