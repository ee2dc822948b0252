#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "tensor/dtype.hpp"

namespace slipway::convert::aten {

/// Element types as ATen numbers them; TorchScript writes these numbers into its code.
enum class ScalarType : std::uint8_t {
  kUint8 = 0,
  kInt8 = 1,
  kInt16 = 2,
  kInt32 = 3,
  kInt64 = 4,
  kFloat16 = 5,
  kFloat32 = 6,
  kFloat64 = 7,
  kComplex32 = 8,
  kComplex64 = 9,
  kComplex128 = 10,
  kBool = 11,
  kBfloat16 = 15,
  kUint16 = 27,
  kUint32 = 28,
  kUint64 = 29,
};

/// The type of ATen's number; nothing for the quantised, 8-bit float and other types that are not read.
[[nodiscard]] std::optional<ScalarType> scalar_type_of_number(std::int64_t number);

/// NumPy's name: "float32", "complex64" …
[[nodiscard]] std::string_view scalar_type_name(ScalarType type);

[[nodiscard]] std::size_t scalar_type_size_bytes(ScalarType type);

/// Nothing for complex numbers, which no tensor of ours holds.
[[nodiscard]] std::optional<tensor::Dtype> dtype_of(ScalarType type);
[[nodiscard]] ScalarType scalar_type_of(tensor::Dtype dtype);

}  // namespace slipway::convert::aten
