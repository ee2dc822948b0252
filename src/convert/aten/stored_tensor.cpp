#include <algorithm>
#include <cstring>

#include "convert/aten/graph.hpp"

namespace slipway::convert::aten {
namespace {

/// A float of IEEE's form is no number when its exponent is all ones and its fraction is not zero, whatever its sign.
template <typename Bits>
std::uint64_t count_above(std::span<const std::byte> bytes, Bits infinity) {
  constexpr Bits kWithoutSign = static_cast<Bits>(~Bits{0}) >> 1U;
  std::uint64_t count = 0;
  const std::size_t elements = bytes.size() / sizeof(Bits);
  for (std::size_t i = 0; i < elements; ++i) {
    Bits bits;
    std::memcpy(&bits, bytes.data() + i * sizeof(Bits), sizeof bits);
    count += static_cast<Bits>(bits & kWithoutSign) > infinity ? 1U : 0U;
  }
  return count;
}

std::uint64_t count_not_numbers(ScalarType dtype, std::span<const std::byte> bytes) {
  switch (dtype) {
    case ScalarType::kFloat64:
    case ScalarType::kComplex128:
      return count_above<std::uint64_t>(bytes, 0x7FF0000000000000ULL);
    case ScalarType::kFloat32:
    case ScalarType::kComplex64:
      return count_above<std::uint32_t>(bytes, 0x7F800000U);
    case ScalarType::kFloat16:
      return count_above<std::uint16_t>(bytes, 0x7C00U);
    case ScalarType::kBfloat16:
      return count_above<std::uint16_t>(bytes, 0x7F80U);
    default:
      return 0;
  }
}

std::size_t size_bytes(const StoredTensor& stored) {
  const auto count = tensor::element_count(stored.shape);  // counted by whoever read the archive
  return static_cast<std::size_t>(count.value_or(0)) * scalar_type_size_bytes(stored.dtype);
}

}  // namespace

bool is_contiguous(const StoredTensor& stored) {
  if (std::ranges::find(stored.shape, 0) != stored.shape.end()) return true;
  std::int64_t expected = 1;
  for (std::size_t i = stored.shape.size(); i-- > 0;) {
    if (stored.shape[i] != 1 && stored.strides[i] != expected) return false;
    expected *= stored.shape[i];
  }
  return true;
}

std::vector<std::byte> packed(const StoredTensor& stored) {
  std::vector<std::byte> bytes;
  bytes.reserve(size_bytes(stored));
  const std::size_t size = scalar_type_size_bytes(stored.dtype);
  std::vector<std::int64_t> index(stored.shape.size(), 0);
  std::int64_t at = 0;
  for (std::size_t left = size_bytes(stored); left > 0; left -= size) {
    const auto element = stored.bytes.subspan(static_cast<std::size_t>(at) * size, size);
    bytes.insert(bytes.end(), element.begin(), element.end());
    for (std::size_t axis = index.size(); axis-- > 0;) {
      at += stored.strides[axis];
      if (++index[axis] < stored.shape[axis]) break;
      at -= stored.strides[axis] * stored.shape[axis];
      index[axis] = 0;
    }
  }
  return bytes;
}

std::uint64_t count_not_numbers(const StoredTensor& stored) {
  if (is_contiguous(stored)) return count_not_numbers(stored.dtype, stored.bytes.first(size_bytes(stored)));
  return count_not_numbers(stored.dtype, packed(stored));
}

}  // namespace slipway::convert::aten
