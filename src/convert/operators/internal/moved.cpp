#include "convert/operators/internal/moved.hpp"

#include <algorithm>
#include <cstring>

#include "convert/operators/internal/scratch.hpp"

namespace slipway::convert::operators::internal {
namespace {

/// Writes the `rows` × `columns` matrix whose element (r, c) is the one at source[r + c × stride]: block by block,
/// since a cache line holds elements of several rows.
template <typename T>
void transpose_block(const std::byte* source, std::byte* target, std::int64_t rows, std::int64_t columns,
                     std::int64_t stride) {
  constexpr std::int64_t kBlock = 64 / static_cast<std::int64_t>(sizeof(T));
  for (std::int64_t first_row = 0; first_row < rows; first_row += kBlock) {
    const std::int64_t end_row = std::min(rows, first_row + kBlock);
    for (std::int64_t first = 0; first < columns; first += kBlock) {
      const std::int64_t end = std::min(columns, first + kBlock);
      for (std::int64_t r = first_row; r < end_row; ++r) {
        for (std::int64_t c = first; c < end; ++c) {
          std::memcpy(target + static_cast<std::size_t>(r * columns + c) * sizeof(T),
                      source + static_cast<std::size_t>(r + c * stride) * sizeof(T), sizeof(T));
        }
      }
    }
  }
}

void transpose_block(std::size_t element_bytes, const std::byte* source, std::byte* target, std::int64_t rows,
                     std::int64_t columns, std::int64_t stride) {
  switch (element_bytes) {
    case 1:
      return transpose_block<std::uint8_t>(source, target, rows, columns, stride);
    case 2:
      return transpose_block<std::uint16_t>(source, target, rows, columns, stride);
    case 4:
      return transpose_block<std::uint32_t>(source, target, rows, columns, stride);
    default:
      return transpose_block<std::uint64_t>(source, target, rows, columns, stride);
  }
}

}  // namespace

Folded moved(const Tensor& from, Shape shape, const std::vector<std::int64_t>& strides, std::int64_t begin) {
  const std::size_t size = aten::scalar_type_size_bytes(from.dtype);
  const auto count = static_cast<std::size_t>(tensor::element_count(shape).value_or(0));
  Scratch scratch = make_scratch(count * size);
  std::vector<std::int64_t> index(shape.size(), 0);
  const std::byte* const source = from.constant->bytes.data();
  std::byte* target = scratch.bytes.data();
  std::int64_t at = begin;
  if (shape.size() == 2 && strides[0] == 1 && size <= sizeof(std::uint64_t)) {
    transpose_block(size, source + static_cast<std::size_t>(begin) * size, target, shape[0], shape[1], strides[1]);
    return {from.dtype, std::move(shape), scratch.bytes, std::move(scratch.owner)};
  }
  for (std::size_t i = 0; i < count; ++i) {
    std::memcpy(target, source + static_cast<std::size_t>(at) * size, size);
    target += size;
    for (std::size_t axis = shape.size(); axis-- > 0;) {
      at += strides[axis];
      if (++index[axis] < shape[axis]) break;
      at -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
  }
  return {from.dtype, std::move(shape), scratch.bytes, std::move(scratch.owner)};
}

}  // namespace slipway::convert::operators::internal
