#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "tensor/dtype.hpp"

namespace slipway::quantize {

/// What activations may be stored in.
enum class ActivationType { kUint8, kInt8, kUint16, kInt16 };
[[nodiscard]] std::string_view type_name(ActivationType type);  ///< "uint8" …
[[nodiscard]] std::optional<ActivationType> activation_type_of_name(std::string_view name);
[[nodiscard]] tensor::Dtype dtype_of(ActivationType type);
[[nodiscard]] int bits_of(ActivationType type);

/// Real numbers from the lowest to the highest, both ends included.
struct Range {
  double lowest = 0, highest = 0;
  [[nodiscard]] double width() const { return highest - lowest; }
  friend bool operator==(const Range&, const Range&) = default;
};
[[nodiscard]] Range united(const Range& one, const Range& other);

/// How real numbers are stored as integers: real = (stored - zero_point) * scale.
struct Encoding {
  ActivationType type = ActivationType::kUint8;
  float scale = 1;
  std::int64_t zero_point = 0;

  /// The reals that can be stored.
  [[nodiscard]] Range range() const;
  friend bool operator==(const Encoding&, const Encoding&) = default;
};

/// The encoding that covers a range. Zero is always a number that can be stored, since padding and ReLU need it; int16
/// is symmetric, as NPUs ask, the other types are not. A range that is zero alone gets a scale of 1.
[[nodiscard]] Encoding encoding_of(const Range& range, ActivationType type);

}  // namespace slipway::quantize
