#include "tensor/float16.hpp"

#include <bit>

namespace slipway::tensor {
namespace {

constexpr std::uint32_t kFloatSign = 0x80000000U;
constexpr std::uint32_t kFloatInfinity = 0x7F800000U;
constexpr std::uint32_t kHalfInfinity = 0x7C00U;
constexpr int kMantissaShift = 13;                 // 23 bits of a float's mantissa against 10 of a half's
constexpr std::uint32_t kExponentBias = 127 - 15;  // between the two formats

}  // namespace

float float_from_half(std::uint16_t bits) {
  const std::uint32_t sign = (bits & 0x8000U) << 16U;
  const std::uint32_t exponent = (bits >> 10U) & 0x1FU;
  const std::uint32_t mantissa = bits & 0x3FFU;
  if (exponent == 0x1FU) return std::bit_cast<float>(sign | kFloatInfinity | (mantissa << kMantissaShift));
  if (exponent != 0) {
    return std::bit_cast<float>(sign | ((exponent + kExponentBias) << 23U) | (mantissa << kMantissaShift));
  }
  const float magnitude = static_cast<float>(mantissa) * 0x1p-24F;  // zero and the subnormal halves
  return sign == 0 ? magnitude : -magnitude;
}

std::uint16_t half_from_float(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = (bits & kFloatSign) >> 16U;
  const std::uint32_t magnitude = bits & ~kFloatSign;
  if (magnitude > kFloatInfinity) return static_cast<std::uint16_t>(sign | kHalfInfinity | 0x200U);
  if (magnitude >= std::bit_cast<std::uint32_t>(65520.0F)) return static_cast<std::uint16_t>(sign | kHalfInfinity);
  if (magnitude < std::bit_cast<std::uint32_t>(0x1p-14F)) {
    // Subnormal: adding 0.5 puts the half's last bit at the float's last bit, and the adder rounds to nearest even.
    const float shifted = std::bit_cast<float>(magnitude) + 0.5F;
    return static_cast<std::uint16_t>(sign |
                                      (std::bit_cast<std::uint32_t>(shifted) - std::bit_cast<std::uint32_t>(0.5F)));
  }
  const std::uint32_t odd = (magnitude >> kMantissaShift) & 1U;
  const std::uint32_t rounded = magnitude + 0xFFFU + odd - (kExponentBias << 23U);
  return static_cast<std::uint16_t>(sign | (rounded >> kMantissaShift));
}

float float_from_bfloat16(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16U);
}

}  // namespace slipway::tensor
