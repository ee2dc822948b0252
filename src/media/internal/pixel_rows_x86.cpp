#include "media/internal/pixel_rows_x86.hpp"

#if defined(__x86_64__)
#if !defined(__clang__)
// GCC 12 warns of values that its own AVX-512 headers leave open on purpose.
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>

namespace slipway::media::internal {
namespace {

__attribute__((target("avx512f,avx512bw,avx512vbmi,avx512vnni"))) std::size_t weigh(
    const std::uint8_t* rgb, std::size_t pixels, const std::array<std::int32_t, 3>& weights, float gain, float bias,
    const std::uint8_t* next, float* out) {
  // 16 pixels a step, a word for each: its three bytes are multiplied by signed ones and added up in one instruction.
  // The weights have two digits of base 128, so it takes two.
  alignas(64) std::array<std::uint8_t, 64> source{};
  for (std::size_t i = 0; i < source.size(); ++i) source[i] = static_cast<std::uint8_t>(i / 4 * 3 + i % 4);
  std::int32_t high_digits = 0, low_digits = 0;
  for (std::size_t c = 0; c < 3; ++c) {
    const std::int32_t high = (weights[c] + 64) >> 7;
    high_digits |= high << (8 * c);
    low_digits |= ((weights[c] - 128 * high) & 0xFF) << (8 * c);
  }
  const __m512i spread = _mm512_load_si512(source.data());
  const __m512i high = _mm512_set1_epi32(high_digits), low = _mm512_set1_epi32(low_digits);
  const __m512 factor = _mm512_set1_ps(gain), offset = _mm512_set1_ps(bias);
  constexpr __mmask16 kFirst48Bytes = 0x0FFF;
  std::size_t x = 0;
  for (; x + 16 <= pixels; x += 16) {
    __builtin_prefetch(next + 3 * x);
    // The fourth byte of a word is the next pixel's; its weight is 0.
    const __m512i words = _mm512_permutexvar_epi8(spread, _mm512_maskz_loadu_epi32(kFirst48Bytes, rgb + 3 * x));
    const __m512i upper = _mm512_slli_epi32(_mm512_dpbusd_epi32(_mm512_setzero_si512(), words, high), 7);
    const __m512 sum = _mm512_cvtepi32_ps(_mm512_dpbusd_epi32(upper, words, low));
    _mm512_storeu_ps(out + x, _mm512_add_ps(_mm512_mul_ps(sum, factor), offset));
  }
  return x;
}

__attribute__((target("avx512f,avx512bw,avx512vbmi"))) std::size_t pick(const std::uint8_t* rgb, std::size_t row_bytes,
                                                                        std::span<const PixelGroup> groups,
                                                                        const std::uint8_t* next, std::uint8_t* out) {
  std::size_t done = 0;
  for (const PixelGroup& group : groups) {
    if (group.first_byte + PixelGroup::kReach > row_bytes) break;
    const std::uint8_t* from = rgb + group.first_byte;
    __builtin_prefetch(next + group.first_byte);
    __builtin_prefetch(next + group.first_byte + 64);
    const __m512i picked = _mm512_permutex2var_epi8(_mm512_loadu_si512(from), _mm512_loadu_si512(group.offset.data()),
                                                    _mm512_loadu_si512(from + 64));
    _mm512_storeu_si512(out, picked);
    out += group.bytes;
    ++done;
  }
  return done;
}

__attribute__((target("avx512f,avx512bw"))) std::size_t resample(const float* row, const std::int32_t* left,
                                                                 const float* right_weight, std::size_t count,
                                                                 float* out) {
  constexpr std::int32_t kReach = 32;  // values in two registers
  const __m512i next = _mm512_set1_epi32(1);
  const __m512 one = _mm512_set1_ps(1);
  std::size_t x = 0;
  for (; x + 16 <= count; x += 16) {
    const std::int32_t first = left[x];
    if (left[x + 15] + 1 - first >= kReach) break;
    const __m512 low = _mm512_loadu_ps(row + first), high = _mm512_loadu_ps(row + first + 16);
    const __m512i index = _mm512_sub_epi32(_mm512_loadu_si512(left + x), _mm512_set1_epi32(first));
    const __m512 from_left = _mm512_permutex2var_ps(low, index, high);
    const __m512 from_right = _mm512_permutex2var_ps(low, _mm512_add_epi32(index, next), high);
    const __m512 weight = _mm512_loadu_ps(right_weight + x);
    _mm512_storeu_ps(out + x, _mm512_add_ps(_mm512_mul_ps(from_left, _mm512_sub_ps(one, weight)),
                                            _mm512_mul_ps(from_right, weight)));
  }
  return x;
}

bool has_byte_permutes() {
  static const bool is_here = __builtin_cpu_supports("avx512vbmi") != 0 && __builtin_cpu_supports("avx512vnni") != 0;
  return is_here;
}

bool has_avx512() {
  static const bool is_here = __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0;
  return is_here;
}

}  // namespace

std::size_t weigh_row_avx512(const std::uint8_t* rgb, std::size_t pixels, const std::array<std::int32_t, 3>& weights,
                             float gain, float bias, const std::uint8_t* next, float* out) {
  return has_byte_permutes() ? weigh(rgb, pixels, weights, gain, bias, next, out) : 0;
}

bool picks_fast() {
  return has_byte_permutes();
}

std::size_t pick_pixels_avx512(const std::uint8_t* rgb, std::size_t row_bytes, std::span<const PixelGroup> groups,
                               const std::uint8_t* next, std::uint8_t* out) {
  return has_byte_permutes() ? pick(rgb, row_bytes, groups, next, out) : 0;
}

std::size_t resample_row_avx512(const float* row, const std::int32_t* left, const float* right_weight,
                                std::size_t count, float* out) {
  return has_avx512() ? resample(row, left, right_weight, count, out) : 0;
}

}  // namespace slipway::media::internal

#else

namespace slipway::media::internal {

std::size_t weigh_row_avx512(const std::uint8_t*, std::size_t, const std::array<std::int32_t, 3>&, float, float,
                             const std::uint8_t*, float*) {
  return 0;
}

bool picks_fast() {
  return false;
}

std::size_t pick_pixels_avx512(const std::uint8_t*, std::size_t, std::span<const PixelGroup>, const std::uint8_t*,
                               std::uint8_t*) {
  return 0;
}

std::size_t resample_row_avx512(const float*, const std::int32_t*, const float*, std::size_t, float*) {
  return 0;
}

}  // namespace slipway::media::internal

#endif
