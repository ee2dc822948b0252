#include "media/internal/pixel_rows.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
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
void weigh_portably(const std::uint8_t* __restrict rgb, std::size_t pixels, const std::array<std::int32_t, 3>& weights,
                    float gain, float bias, float* __restrict out) {
  const std::int32_t red = weights[0], green = weights[1], blue = weights[2];
  for (std::size_t x = 0; x < pixels; ++x) {
    const std::int32_t sum = rgb[3 * x] * red + rgb[3 * x + 1] * green + rgb[3 * x + 2] * blue;
    out[x] = static_cast<float>(sum) * gain + bias;
  }
}

}  // namespace

void group_pixels(std::span<const std::int32_t> columns, std::vector<PixelGroup>& groups) {
  groups.clear();
  for (const std::int32_t column : columns) {
    const auto byte = static_cast<std::uint32_t>(3 * column);
    if (groups.empty() || byte + 3 - groups.back().first_byte > PixelGroup::kReach ||
        groups.back().bytes + 3 > groups.back().offset.size()) {
      groups.push_back({.first_byte = byte});
    }
    PixelGroup& group = groups.back();
    for (std::uint32_t channel = 0; channel < 3; ++channel) {
      group.offset[group.bytes++] = static_cast<std::uint8_t>(byte + channel - group.first_byte);
    }
  }
}

void pick_pixels(const std::uint8_t* rgb, std::size_t row_bytes, std::span<const PixelGroup> groups,
                 const std::uint8_t* next, std::uint8_t* out) {
  const std::size_t done = pick_pixels_avx512(rgb, row_bytes, groups, next, out);
  for (std::size_t i = 0; i < done; ++i) out += groups[i].bytes;
  for (const PixelGroup& group : groups.subspan(done)) {
    const std::uint8_t* from = rgb + group.first_byte;
    __builtin_prefetch(next + group.first_byte);
    for (std::uint32_t i = 0; i < group.bytes; i += 3) {
      std::memcpy(out, from + group.offset[i], 3);
      out += 3;
    }
  }
}

void weigh_row(const std::uint8_t* rgb, std::size_t pixels, const std::array<std::int32_t, 3>& weights, float gain,
               float bias, const std::uint8_t* next, float* out) {
  const std::size_t done = weigh_row_avx512(rgb, pixels, weights, gain, bias, next, out);
  prefetch(next + 3 * done, 3 * (pixels - done));
  weigh_portably(rgb + 3 * done, pixels - done, weights, gain, bias, out + done);
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
