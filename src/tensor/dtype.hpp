#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace slipway::tensor {

/// Element types a tensor may have. The first nine are those a hub dataset can hold.
enum class Dtype {
  kFloat16,
  kFloat32,
  kBool,
  kInt8,
  kInt16,
  kInt32,
  kInt64,
  kUint8,
  kUint16,
  kFloat64,
  kUint32,
  kUint64,
  kBfloat16,
};

/// Bytes of one element.
[[nodiscard]] std::size_t dtype_size_bytes(Dtype dtype);

/// A float of 16, 32 or 64 bits, or a bfloat16.
[[nodiscard]] bool is_floating_point(Dtype dtype);

/// NumPy's name: "float32", "bool", "uint8" …
[[nodiscard]] std::string_view dtype_name(Dtype dtype);

/// The dtype of a NumPy name, or nothing.
[[nodiscard]] std::optional<Dtype> dtype_from_name(std::string_view name);

}  // namespace slipway::tensor
