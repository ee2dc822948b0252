#include "convert/operators/internal/moved.hpp"

#include <cstring>

#include <gtest/gtest.h>

#include "convert/operators/internal/scratch.hpp"

namespace slipway::convert::operators::internal {
namespace {

/// A constant whose bytes count up.
Tensor counting(ScalarType dtype, const Shape& shape) {
  const auto bytes = static_cast<std::size_t>(*tensor::element_count(shape)) * aten::scalar_type_size_bytes(dtype);
  auto held = std::make_shared<std::vector<std::byte>>(bytes);
  for (std::size_t i = 0; i < bytes; ++i) (*held)[i] = static_cast<std::byte>(i * 7 + i / 256);
  return {dtype, shape, nullptr, std::make_shared<Constant>(Constant{"", *held, held})};
}

TEST(Moved, transposed_matrices_of_every_size_of_elements_hold_what_an_index_by_index_copy_holds) {
  for (const ScalarType dtype : {ScalarType::kInt8, ScalarType::kFloat16, ScalarType::kFloat32, ScalarType::kFloat64}) {
    for (const auto& [rows, columns] :
         std::vector<std::pair<std::int64_t, std::int64_t>>{{1, 1}, {3, 5}, {64, 64}, {17, 130}}) {
      const Tensor from = counting(dtype, {rows, columns});
      const Folded turned = moved(from, {columns, rows}, {1, columns});
      const std::size_t size = aten::scalar_type_size_bytes(dtype);
      ASSERT_EQ(turned.bytes.size(), from.constant->bytes.size());
      for (std::int64_t r = 0; r < rows; ++r) {
        for (std::int64_t c = 0; c < columns; ++c) {
          ASSERT_EQ(std::memcmp(&turned.bytes[static_cast<std::size_t>(c * rows + r) * size],
                                &from.constant->bytes[static_cast<std::size_t>(r * columns + c) * size], size),
                    0)
              << rows << " x " << columns << " at " << r << ", " << c;
        }
      }
    }
  }
}

TEST(Moved, what_is_computed_beyond_a_budget_lies_in_files_and_not_on_the_heap) {
  constexpr std::size_t kBytes = 40U << 20U;
  const std::size_t before = scratch_bytes_on_heap();
  {
    std::vector<Scratch> held;
    for (int i = 0; i < 4; ++i) {
      held.push_back(make_scratch(kBytes));
      ASSERT_EQ(held.back().bytes.size(), kBytes);
      held.back().bytes.front() = std::byte{1};
      held.back().bytes.back() = static_cast<std::byte>(i);
    }
    EXPECT_EQ(scratch_bytes_on_heap() - before, kBytes) << "one of four fits the budget of 64 MiB";
    for (int i = 0; i < 4; ++i) EXPECT_EQ(held[static_cast<std::size_t>(i)].bytes.back(), static_cast<std::byte>(i));
  }
  EXPECT_EQ(scratch_bytes_on_heap(), before);
}

}  // namespace
}  // namespace slipway::convert::operators::internal
