#include "runtime/byte_lookup.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace slipway::runtime {
namespace {

// Each version handles the first bytes and returns how many.

#if defined(__x86_64__)

__attribute__((target("avx512f,avx512bw,avx512vbmi"))) std::size_t lookup_blocks(const ByteTable& table,
                                                                                 const std::uint8_t* in,
                                                                                 std::size_t count, std::uint8_t* out) {
  const __m512i first = _mm512_loadu_si512(table.data()), second = _mm512_loadu_si512(table.data() + 64);
  const __m512i third = _mm512_loadu_si512(table.data() + 128), fourth = _mm512_loadu_si512(table.data() + 192);
  std::size_t i = 0;
  for (; i + 64 <= count; i += 64) {
    const __m512i index = _mm512_loadu_si512(in + i);
    // A permutation reads seven bits of the index; the eighth chooses the half of the table.
    const __m512i low = _mm512_permutex2var_epi8(first, index, second);
    const __m512i high = _mm512_permutex2var_epi8(third, index, fourth);
    _mm512_storeu_si512(out + i, _mm512_mask_blend_epi8(_mm512_movepi8_mask(index), low, high));
  }
  return i;
}

bool has_blocks() {
  static const bool is_here = __builtin_cpu_supports("avx512bw") != 0 && __builtin_cpu_supports("avx512vbmi") != 0;
  return is_here;
}

#elif defined(__aarch64__)

std::size_t lookup_blocks(const ByteTable& table, const std::uint8_t* in, std::size_t count, std::uint8_t* out) {
  const uint8x16x4_t first = vld1q_u8_x4(table.data()), second = vld1q_u8_x4(table.data() + 64);
  const uint8x16x4_t third = vld1q_u8_x4(table.data() + 128), fourth = vld1q_u8_x4(table.data() + 192);
  const uint8x16_t quarter = vdupq_n_u8(64);
  std::size_t i = 0;
  for (; i + 16 <= count; i += 16) {
    // An index beyond a quarter of the table leaves what was found before.
    uint8x16_t index = vld1q_u8(in + i);
    uint8x16_t found = vqtbl4q_u8(first, index);
    found = vqtbx4q_u8(found, second, index = vsubq_u8(index, quarter));
    found = vqtbx4q_u8(found, third, index = vsubq_u8(index, quarter));
    found = vqtbx4q_u8(found, fourth, vsubq_u8(index, quarter));
    vst1q_u8(out + i, found);
  }
  return i;
}

constexpr bool has_blocks() {
  return true;
}

#else

std::size_t lookup_blocks(const ByteTable&, const std::uint8_t*, std::size_t, std::uint8_t*) {
  return 0;
}

constexpr bool has_blocks() {
  return false;
}

#endif

}  // namespace

void lookup_bytes(const ByteTable& table, const std::uint8_t* in, std::size_t count, std::uint8_t* out) {
  std::size_t i = has_blocks() ? lookup_blocks(table, in, count, out) : 0;
  for (; i < count; ++i) out[i] = table[in[i]];
}

}  // namespace slipway::runtime
