#pragma once

#include <bit>
#include <cstdint>

// Without branches, so that loops over them become vector code.
namespace slipway::tensor {
namespace half_format {

inline constexpr std::uint32_t kFloatSign = 0x80000000U;
inline constexpr std::uint32_t kFloatInfinity = 0x7F800000U;
inline constexpr std::uint32_t kInfinity = 0x7C00U;
inline constexpr std::uint32_t kQuietNan = 0x7E00U;
inline constexpr unsigned kMantissaShift = 13;                 // 23 bits of a float's mantissa against 10 of a half's
inline constexpr std::uint32_t kExponentBias = 127U - 15U;     // between the two formats
inline constexpr std::uint32_t kTooLarge = 0x477FF000U;        // 65520: rounds to what a half has no room for
inline constexpr std::uint32_t kSmallestNormal = 0x38800000U;  // 2^-14

}  // namespace half_format

/// IEEE 754 binary16 bits to a float; every half is a float, so this is exact. NaN and infinities are kept.
[[nodiscard]] inline float float_from_half(std::uint16_t bits) {
  using namespace half_format;
  const std::uint32_t sign = (bits & 0x8000U) << 16U;
  const std::uint32_t magnitude = bits & 0x7FFFU;
  const std::uint32_t normal = (magnitude << kMantissaShift) + (kExponentBias << 23U);
  const std::uint32_t special = (magnitude << kMantissaShift) | kFloatInfinity;
  const auto subnormal =
      std::bit_cast<std::uint32_t>(static_cast<float>(static_cast<std::int32_t>(magnitude)) * 0x1p-24F);
  const std::uint32_t finite = magnitude < 0x400U ? subnormal : normal;
  return std::bit_cast<float>(sign | (magnitude >= kInfinity ? special : finite));
}

/// A float to binary16 bits, rounded to nearest even; what is too large becomes infinity.
[[nodiscard]] inline std::uint16_t half_from_float(float value) {
  using namespace half_format;
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = (bits & kFloatSign) >> 16U;
  const std::uint32_t magnitude = bits & ~kFloatSign;
  const std::uint32_t odd = (magnitude >> kMantissaShift) & 1U;
  const std::uint32_t normal = (magnitude + 0xFFFU + odd - (kExponentBias << 23U)) >> kMantissaShift;
  // Adding 0.5 puts the half's last bit at the float's last bit, and the adder rounds to nearest even.
  const float shifted = std::bit_cast<float>(magnitude) + 0.5F;
  const std::uint32_t subnormal = std::bit_cast<std::uint32_t>(shifted) - std::bit_cast<std::uint32_t>(0.5F);
  const std::uint32_t finite = magnitude < kSmallestNormal ? subnormal : normal;
  const std::uint32_t large = magnitude > kFloatInfinity ? kQuietNan : kInfinity;
  return static_cast<std::uint16_t>(sign | (magnitude >= kTooLarge ? large : finite));
}

/// bfloat16 bits (the upper half of a float) to a float.
[[nodiscard]] inline float float_from_bfloat16(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16U);
}

}  // namespace slipway::tensor
