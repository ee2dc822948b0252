#include "tensor/tensor.hpp"

#include <cstdlib>
#include <cstring>

#include "base/machine_memory.hpp"

namespace slipway::tensor {
namespace {

constexpr std::size_t kAlignmentBytes = 64;

}  // namespace

void Tensor::Free::operator()(std::byte* pointer) const {
  std::free(pointer);
}

base::Result<Tensor> Tensor::zeros(Dtype dtype, Shape shape) {
  const auto count = element_count(shape);
  std::int64_t bytes = 0;
  if (!count || __builtin_mul_overflow(*count, static_cast<std::int64_t>(dtype_size_bytes(dtype)), &bytes) ||
      bytes > (std::int64_t{1} << 62)) {
    return base::fail(base::Code::kInvalidArgument,
                      "{} is not the shape of a tensor: dimensions must be 0 or more and "
                      "their product must fit in memory",
                      to_string(dtype, shape));
  }
  SLIPWAY_TRY(base::check_memory(static_cast<std::uint64_t>(bytes), [&] { return to_string(dtype, shape); }));
  Tensor tensor;
  tensor.dtype_ = dtype;
  tensor.shape_ = std::move(shape);
  tensor.size_bytes_ = static_cast<std::size_t>(bytes);
  const std::size_t rounded = (tensor.size_bytes_ / kAlignmentBytes + 1) * kAlignmentBytes;
  tensor.data_.reset(static_cast<std::byte*>(std::aligned_alloc(kAlignmentBytes, rounded)));
  if (!tensor.data_) {
    return base::fail(base::Reason::kOutOfMemory, "no memory for {} ({} bytes)", to_string(dtype, tensor.shape_),
                      bytes);
  }
  std::memset(tensor.data_.get(), 0, rounded);
  return tensor;
}

base::Result<Tensor> Tensor::copy_of(Dtype dtype, Shape shape, std::span<const std::byte> bytes) {
  SLIPWAY_ASSIGN(Tensor tensor, zeros(dtype, std::move(shape)));
  if (bytes.size() != tensor.size_bytes()) {
    return base::fail(base::Code::kInvalidArgument, "{} needs {} bytes, got {}", to_string(dtype, tensor.shape_),
                      tensor.size_bytes(), bytes.size());
  }
  if (!bytes.empty()) std::memcpy(tensor.data_.get(), bytes.data(), bytes.size());
  return tensor;
}

}  // namespace slipway::tensor
