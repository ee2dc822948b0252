#include "compile/boundary.hpp"

#include <algorithm>
#include <cstring>

namespace slipway::compile {
namespace {

using base::Code;
using base::fail;
using base::Result;
using tensor::Dtype;
using tensor::Tensor;

/// Copies [N, rows, columns] elements to [N, columns, rows].
void swap_last_two(std::span<const std::byte> from, std::span<std::byte> to, std::int64_t rows, std::int64_t columns,
                   std::size_t element_bytes) {
  const auto plane = static_cast<std::size_t>(rows * columns) * element_bytes;
  if (plane == 0) return;
  for (std::size_t base = 0; base < from.size(); base += plane) {
    for (std::int64_t row = 0; row < rows; ++row) {
      for (std::int64_t column = 0; column < columns; ++column) {
        const auto source = base + static_cast<std::size_t>(row * columns + column) * element_bytes;
        const auto target = base + static_cast<std::size_t>(column * rows + row) * element_bytes;
        std::memcpy(to.data() + target, from.data() + source, element_bytes);
      }
    }
  }
}

Result<Tensor> with_channels_moved(const Tensor& tensor, bool to_last) {
  const auto& shape = tensor.shape();
  if (shape.size() < 3) return fail(Code::kInvalidArgument, "{} has no channel axis", to_string(tensor.dtype(), shape));
  tensor::Shape moved = shape;
  std::int64_t area = 1;
  if (to_last) {
    std::rotate(moved.begin() + 1, moved.begin() + 2, moved.end());
    for (auto size = shape.begin() + 2; size != shape.end(); ++size) area *= *size;
  } else {
    std::rotate(moved.begin() + 1, moved.end() - 1, moved.end());
    for (auto size = shape.begin() + 1; size != shape.end() - 1; ++size) area *= *size;
  }
  SLIPWAY_ASSIGN(Tensor result, Tensor::zeros(tensor.dtype(), moved));
  const std::int64_t channels = to_last ? shape[1] : shape.back();
  swap_last_two(tensor.bytes(), result.bytes(), to_last ? channels : area, to_last ? area : channels,
                tensor::dtype_size_bytes(tensor.dtype()));
  return result;
}

template <typename From, typename To>
Result<Tensor> widened(const Tensor& tensor, Dtype dtype) {
  SLIPWAY_ASSIGN(Tensor result, Tensor::zeros(dtype, tensor.shape()));
  std::ranges::copy(tensor.values<From>(), result.values<To>().begin());
  return result;
}

Result<Tensor> as_dtype(const Tensor& tensor, Dtype wanted) {
  if (tensor.dtype() == wanted) return Tensor::copy_of(wanted, tensor.shape(), tensor.bytes());
  if (tensor.dtype() == Dtype::kInt32 && wanted == Dtype::kInt64) {
    return widened<std::int32_t, std::int64_t>(tensor, wanted);
  }
  if (tensor.dtype() == Dtype::kUint32 && wanted == Dtype::kUint64) {
    return widened<std::uint32_t, std::uint64_t>(tensor, wanted);
  }
  return fail(Code::kInvalidArgument, "expected {}, found {}", tensor::dtype_name(wanted),
              tensor::dtype_name(tensor.dtype()));
}

bool at(const std::vector<bool>& flags, std::size_t index) {
  return index < flags.size() && flags[index];
}

}  // namespace

Result<tensor::NamedTensors> to_source_inputs(const Boundary& boundary, const tensor::NamedTensors& inputs) {
  if (inputs.size() != boundary.source_inputs.size()) {
    return fail(Code::kInvalidArgument, "expected {} inputs, found {}", boundary.source_inputs.size(), inputs.size());
  }
  tensor::NamedTensors result;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const auto& wanted = boundary.source_inputs[i];
    SLIPWAY_ASSIGN(Tensor tensor, as_dtype(inputs[i].tensor, wanted.dtype));
    if (at(boundary.channel_last_inputs, i)) {
      SLIPWAY_ASSIGN(tensor, with_channels_moved(tensor, false));
    }
    result.push_back({wanted.name, std::move(tensor)});
  }
  return result;
}

Result<tensor::NamedTensors> from_source_outputs(const Boundary& boundary, tensor::NamedTensors outputs) {
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (!at(boundary.channel_last_outputs, i)) continue;
    SLIPWAY_ASSIGN(outputs[i].tensor, with_channels_moved(outputs[i].tensor, true));
  }
  return outputs;
}

}  // namespace slipway::compile
