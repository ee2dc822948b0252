#include "tensor/tensor.hpp"

#include <gtest/gtest.h>

namespace slipway::tensor {
namespace {

TEST(Tensor, is_zeroed_and_aligned) {
  auto tensor = Tensor::zeros(Dtype::kFloat32, {2, 3});
  ASSERT_TRUE(tensor);
  EXPECT_EQ(tensor->size_bytes(), 24U);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(tensor->bytes().data()) % 64, 0U);
  for (const float value : tensor->values<float>()) EXPECT_EQ(value, 0.0F);
}

TEST(Tensor, refuses_sizes_that_cannot_be) {
  EXPECT_FALSE(Tensor::zeros(Dtype::kFloat32, {2, -1}));
  EXPECT_FALSE(Tensor::zeros(Dtype::kFloat32, {1LL << 40, 1LL << 40}));
  EXPECT_EQ(Tensor::zeros(Dtype::kFloat64, {1LL << 45}).error().code, base::Code::kResourceExhausted);
}

TEST(Shape, prints_dynamic_dimensions_as_question_marks) {
  EXPECT_EQ(to_string(Dtype::kFloat32, {1, -1, 8}), "float32[1,?,8]");
}

TEST(Shape, accepts_data_only_where_every_fixed_dimension_agrees) {
  EXPECT_TRUE(shape_accepts({-1, 3}, {5, 3}));
  EXPECT_FALSE(shape_accepts({-1, 3}, {5, 4}));
  EXPECT_FALSE(shape_accepts({-1, 3}, {5, 3, 1}));
}

TEST(Dtype, names_are_numpys_and_read_back) {
  for (const auto name : {"float16", "float32", "bool", "int8", "int16", "int32", "int64", "uint8", "uint16"}) {
    ASSERT_TRUE(dtype_from_name(name)) << name;
    EXPECT_EQ(dtype_name(*dtype_from_name(name)), name);
  }
  EXPECT_FALSE(dtype_from_name("complex64"));
}

}  // namespace
}  // namespace slipway::tensor
