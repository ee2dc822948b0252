#include "tensor/shape.hpp"

#include <fmt/format.h>

namespace slipway::tensor {

std::optional<std::int64_t> element_count(const Shape& shape) {
  std::int64_t count = 1;
  for (const std::int64_t size : shape) {
    if (size < 0 || __builtin_mul_overflow(count, size, &count)) return std::nullopt;
  }
  return count;
}

std::string to_string(Dtype dtype, const Shape& shape) {
  std::string text(dtype_name(dtype));
  text += '[';
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (i > 0) text += ',';
    text += shape[i] < 0 ? "?" : fmt::format("{}", shape[i]);
  }
  return text + ']';
}

std::string to_string(const TensorSpec& spec) {
  return spec.has_rank ? to_string(spec.dtype, spec.shape) : fmt::format("{} of unknown rank", dtype_name(spec.dtype));
}

bool is_static(const TensorSpec& spec) {
  return spec.has_rank && element_count(spec.shape).has_value();
}

bool shape_accepts(const TensorSpec& expected, const Shape& shape) {
  return expected.has_rank ? shape_accepts(expected.shape, shape) : element_count(shape).has_value();
}

bool shape_accepts(const Shape& expected, const Shape& shape) {
  if (expected.size() != shape.size()) return false;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] < 0 || (expected[i] >= 0 && expected[i] != shape[i])) return false;
  }
  return true;
}

}  // namespace slipway::tensor
