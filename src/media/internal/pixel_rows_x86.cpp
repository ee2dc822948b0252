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

__attribute__((target("avx512f,avx512bw"))) std::size_t weigh(const std::uint8_t* rgb, std::size_t pixels,
                                                              const float weights[3], float bias, float* out) {
  // 16 pixels a step: 48 bytes are spread so that each lane holds the 12 bytes of 4 pixels, then each pixel gets a
  // word.
  const __m512i spread = _mm512_setr_epi32(0, 1, 2, 0, 3, 4, 5, 0, 6, 7, 8, 0, 9, 10, 11, 0);
  const __m512i widen = _mm512_broadcast_i32x4(_mm_setr_epi8(0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11, -1));
  const __m512i low_byte = _mm512_set1_epi32(0xFF);
  const __m512 red = _mm512_set1_ps(weights[0]), green = _mm512_set1_ps(weights[1]), blue = _mm512_set1_ps(weights[2]);
  const __m512 offset = _mm512_set1_ps(bias);
  constexpr __mmask16 kFirst48Bytes = 0x0FFF;
  std::size_t x = 0;
  for (; x + 16 <= pixels; x += 16) {
    const __m512i bytes = _mm512_maskz_loadu_epi32(kFirst48Bytes, rgb + 3 * x);
    const __m512i words = _mm512_shuffle_epi8(_mm512_permutexvar_epi32(spread, bytes), widen);
    const __m512 r = _mm512_cvtepi32_ps(_mm512_and_si512(words, low_byte));
    const __m512 g = _mm512_cvtepi32_ps(_mm512_and_si512(_mm512_srli_epi32(words, 8), low_byte));
    const __m512 b = _mm512_cvtepi32_ps(_mm512_srli_epi32(words, 16));
    const __m512 sum =
        _mm512_add_ps(_mm512_add_ps(_mm512_mul_ps(r, red), _mm512_mul_ps(g, green)), _mm512_mul_ps(b, blue));
    _mm512_storeu_ps(out + x, _mm512_add_ps(sum, offset));
  }
  return x;
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

bool has_avx512() {
  static const bool is_here = __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0;
  return is_here;
}

}  // namespace

std::size_t weigh_row_avx512(const std::uint8_t* rgb, std::size_t pixels, const float weights[3], float bias,
                             float* out) {
  return has_avx512() ? weigh(rgb, pixels, weights, bias, out) : 0;
}

std::size_t resample_row_avx512(const float* row, const std::int32_t* left, const float* right_weight,
                                std::size_t count, float* out) {
  return has_avx512() ? resample(row, left, right_weight, count, out) : 0;
}

}  // namespace slipway::media::internal

#else

namespace slipway::media::internal {

std::size_t weigh_row_avx512(const std::uint8_t*, std::size_t, const float*, float, float*) {
  return 0;
}

std::size_t resample_row_avx512(const float*, const std::int32_t*, const float*, std::size_t, float*) {
  return 0;
}

}  // namespace slipway::media::internal

#endif
