#include "convert/aten/graph.hpp"

#include <limits>

#include <gtest/gtest.h>

namespace slipway::convert::aten {
namespace {

TEST(AtenGraph, tells_packed_tensors_from_transposed_ones) {
  StoredTensor stored{ScalarType::kFloat32, {2, 1, 3}, {3, 99, 1}, {}, nullptr};
  EXPECT_TRUE(is_contiguous(stored)) << "the stride of a size of 1 says nothing";
  stored.strides = {1, 1, 2};
  EXPECT_FALSE(is_contiguous(stored));
  stored.shape = {2, 0, 3};
  EXPECT_TRUE(is_contiguous(stored)) << "no element lies anywhere";
  stored.shape = {};
  stored.strides = {};
  EXPECT_TRUE(is_contiguous(stored));
}

TEST(AtenGraph, counts_elements_that_are_not_a_number_in_every_type_of_floats) {
  const auto stored_of = [](ScalarType dtype, const auto& values) {
    return StoredTensor{
        dtype, {static_cast<std::int64_t>(values.size())}, {1}, std::as_bytes(std::span(values)), nullptr};
  };
  const float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> singles = {1, nan, -nan, infinity, -infinity, 0};
  EXPECT_EQ(count_not_numbers(stored_of(ScalarType::kFloat32, singles)), 2U);
  EXPECT_EQ(count_not_numbers(stored_of(ScalarType::kFloat64, std::vector<double>{1, nan, infinity})), 1U);
  EXPECT_EQ(count_not_numbers(stored_of(ScalarType::kFloat16, std::vector<std::uint16_t>{0x7C00, 0x7E00, 0xFC01})), 2U);
  EXPECT_EQ(count_not_numbers(stored_of(ScalarType::kBfloat16, std::vector<std::uint16_t>{0x7F80, 0x7FC0, 1})), 1U);
  EXPECT_EQ(count_not_numbers(stored_of(ScalarType::kInt32, std::vector<std::int32_t>{-1, -1})), 0U);
  StoredTensor every_second = stored_of(ScalarType::kFloat32, singles);
  every_second.shape = {3};
  every_second.strides = {2};
  EXPECT_EQ(count_not_numbers(every_second), 1U);
}

TEST(AtenGraph, names_the_values_of_nested_lists) {
  Argument argument = List{Reference{3}, None{}, std::int64_t{7}, List{Reference{5}}};
  std::vector<ValueId> seen;
  for_each_reference(std::as_const(argument), [&](ValueId value) { seen.push_back(value); });
  EXPECT_EQ(seen, (std::vector<ValueId>{3, 5}));
  for_each_reference(argument, [](ValueId& value) { value += 10; });
  EXPECT_EQ(argument, Argument(List{Reference{13}, None{}, std::int64_t{7}, List{Reference{15}}}));
}

TEST(AtenGraph, scalar_types_carry_the_numbers_of_aten) {
  EXPECT_EQ(scalar_type_of_number(6), ScalarType::kFloat32);
  EXPECT_EQ(scalar_type_of_number(15), ScalarType::kBfloat16);
  EXPECT_EQ(scalar_type_of_number(12), std::nullopt) << "quantised";
  EXPECT_EQ(dtype_of(ScalarType::kComplex64), std::nullopt);
  EXPECT_EQ(scalar_type_of(tensor::Dtype::kBool), ScalarType::kBool);
  EXPECT_EQ(to_string(TensorMeta{ScalarType::kInt64, {{2, ""}, {std::nullopt, "2*s0"}}}), "int64[2,2*s0]");
}

}  // namespace
}  // namespace slipway::convert::aten
