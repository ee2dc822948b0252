#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tensor/dtype.hpp"

namespace slipway::tensor {

/// Dimensions, outermost first; -1 marks a dynamic one (signatures only, never data).
using Shape = std::vector<std::int64_t>;

/// real = (stored - zero_point) * scale
struct Quantization {
  float scale = 1.0F;
  std::int64_t zero_point = 0;
  friend bool operator==(const Quantization&, const Quantization&) = default;
};

/// One input or output of a model.
struct TensorSpec {
  std::string name;
  Dtype dtype = Dtype::kFloat32;
  Shape shape;
  std::optional<Quantization> quantization;
  bool has_rank = true;  ///< false: nothing is known of the shape, which is empty then as a scalar's is
  friend bool operator==(const TensorSpec&, const TensorSpec&) = default;
};

/// Number of elements, or nothing when a dimension is negative or the product leaves 63 bits.
[[nodiscard]] std::optional<std::int64_t> element_count(const Shape& shape);

/// "float32[1,3,256,256]"; a dynamic dimension prints as "?".
[[nodiscard]] std::string to_string(Dtype dtype, const Shape& shape);

/// The same of a spec; "float32 of unknown rank" when nothing is known of its shape.
[[nodiscard]] std::string to_string(const TensorSpec& spec);

/// Whether every size is known.
[[nodiscard]] bool is_static(const TensorSpec& spec);

/// True when data of `shape` may be fed where `expected` is asked for: same rank, equal or dynamic dimensions.
[[nodiscard]] bool shape_accepts(const Shape& expected, const Shape& shape);

/// The same for what a spec asks for: an unknown rank takes every shape of data.
[[nodiscard]] bool shape_accepts(const TensorSpec& expected, const Shape& shape);

}  // namespace slipway::tensor
