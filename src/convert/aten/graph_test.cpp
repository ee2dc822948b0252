#include "convert/aten/graph.hpp"

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
