#pragma once

#include <optional>

#include "base/error.hpp"
#include "tensor/float16.hpp"
#include "tensor/tensor.hpp"

namespace slipway::pipelines {

/// Reads a model's output as real numbers, whatever it is stored as: floats as they are, integers through
/// real = (stored − zero_point) · scale.
/// @pre the tensor outlives it
class RealValues {
 public:
  RealValues() = default;

  /// @param name  of the output, for messages
  /// @error kInvalidArgument: neither float32, float16, uint8, int8, uint16 nor int16, or an integer without
  /// quantisation
  [[nodiscard]] static base::Result<RealValues> over(const tensor::Tensor& tensor,
                                                     const std::optional<tensor::Quantization>& quantization,
                                                     std::string_view name);

  /// @pre index is inside the tensor
  [[nodiscard]] float operator[](std::size_t index) const {
    switch (dtype_) {
      case tensor::Dtype::kUint8:
        return real(static_cast<const std::uint8_t*>(data_)[index]);
      case tensor::Dtype::kInt8:
        return real(static_cast<const std::int8_t*>(data_)[index]);
      case tensor::Dtype::kUint16:
        return real(static_cast<const std::uint16_t*>(data_)[index]);
      case tensor::Dtype::kInt16:
        return real(static_cast<const std::int16_t*>(data_)[index]);
      case tensor::Dtype::kFloat16:
        return tensor::float_from_half(static_cast<const std::uint16_t*>(data_)[index]);
      default:
        return static_cast<const float*>(data_)[index];
    }
  }

  /// The same values without the first ones: those of one entry of a batch.
  /// @pre as operator[]
  [[nodiscard]] RealValues from(std::size_t first) const;

 private:
  [[nodiscard]] float real(int stored) const { return (static_cast<float>(stored) - zero_point_) * scale_; }

  const void* data_ = nullptr;
  tensor::Dtype dtype_ = tensor::Dtype::kFloat32;
  float scale_ = 1;
  float zero_point_ = 0;
};

/// True for the integer types a quantised tensor may have here.
[[nodiscard]] bool is_quantized_dtype(tensor::Dtype dtype);

}  // namespace slipway::pipelines
