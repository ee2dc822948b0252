#pragma once

#include <cstdint>

namespace slipway::tensor {

/// IEEE 754 binary16 bits to a float; every half is a float, so this is exact. NaN and infinities are kept.
[[nodiscard]] float float_from_half(std::uint16_t bits);

/// A float to binary16 bits, rounded to nearest even; what is too large becomes infinity.
[[nodiscard]] std::uint16_t half_from_float(float value);

/// bfloat16 bits (the upper half of a float) to a float.
[[nodiscard]] float float_from_bfloat16(std::uint16_t bits);

}  // namespace slipway::tensor
