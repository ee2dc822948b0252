#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "base/error.hpp"
#include "tensor/shape.hpp"

namespace slipway::tensor {

/// An owning, contiguous, row-major tensor whose data is aligned to 64 bytes. Moves, never copies by accident.
class Tensor {
 public:
  Tensor() = default;

  /// Zero-filled data for a static shape.
  /// @error kInvalidArgument: a negative dimension or more bytes than can be counted; kResourceExhausted: no memory
  [[nodiscard]] static base::Result<Tensor> zeros(Dtype dtype, Shape shape);

  /// A tensor holding a copy of `bytes`.
  /// @error as zeros; kInvalidArgument: the number of bytes differs from the shape's
  [[nodiscard]] static base::Result<Tensor> copy_of(Dtype dtype, Shape shape, std::span<const std::byte> bytes);

  Tensor(Tensor&&) noexcept = default;
  Tensor& operator=(Tensor&&) noexcept = default;

  [[nodiscard]] Dtype dtype() const { return dtype_; }
  [[nodiscard]] const Shape& shape() const { return shape_; }
  [[nodiscard]] std::size_t size_bytes() const { return size_bytes_; }
  [[nodiscard]] std::span<std::byte> bytes() { return {data_.get(), size_bytes_}; }
  [[nodiscard]] std::span<const std::byte> bytes() const { return {data_.get(), size_bytes_}; }

  /// The elements as T. @pre sizeof(T) is the dtype's size
  template <typename T>
  [[nodiscard]] std::span<T> values() {
    SLIPWAY_CHECK(sizeof(T) == dtype_size_bytes(dtype_), "the element type has the dtype's size");
    return {reinterpret_cast<T*>(data_.get()), size_bytes_ / sizeof(T)};
  }
  template <typename T>
  [[nodiscard]] std::span<const T> values() const {
    SLIPWAY_CHECK(sizeof(T) == dtype_size_bytes(dtype_), "the element type has the dtype's size");
    return {reinterpret_cast<const T*>(data_.get()), size_bytes_ / sizeof(T)};
  }

 private:
  struct Free {
    void operator()(std::byte* pointer) const;
  };

  Dtype dtype_ = Dtype::kFloat32;
  Shape shape_;
  std::size_t size_bytes_ = 0;
  std::unique_ptr<std::byte[], Free> data_;
};

/// Tensors by name in a fixed order: what a model takes and gives.
struct NamedTensor {
  std::string name;
  Tensor tensor;
};
using NamedTensors = std::vector<NamedTensor>;

}  // namespace slipway::tensor
