#include "tensor/compare.hpp"

#include <array>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tensor/npz.hpp"

namespace slipway::tensor {
namespace {

Tensor floats(std::vector<float> values) {
  const Shape shape{static_cast<std::int64_t>(values.size())};
  return Tensor::copy_of(Dtype::kFloat32, shape, std::as_bytes(std::span(values))).value();
}

TEST(Compare, gives_the_figures_that_numpy_gives) {
  const auto golden = read_npz("tests/golden/tensor/agreement.npz");
  ASSERT_TRUE(golden) << golden.error().message;
  const auto figures = golden->at(2).tensor.values<double>();
  const auto agreement = compare(golden->at(0).tensor, golden->at(1).tensor);
  ASSERT_TRUE(agreement);
  EXPECT_DOUBLE_EQ(agreement->max_abs, figures[0]);
  EXPECT_NEAR(agreement->mean_abs, figures[1], 1e-12);
  EXPECT_DOUBLE_EQ(agreement->range, figures[2]);
  EXPECT_DOUBLE_EQ(agreement->relative_max, figures[3]);
  EXPECT_NEAR(agreement->cosine, figures[4], 1e-12);
  EXPECT_NEAR(agreement->psnr_db, figures[5], 1e-9);
  EXPECT_EQ(agreement->worst_index, static_cast<std::int64_t>(figures[6]));
  EXPECT_EQ(agreement->not_finite, 0);
}

TEST(Compare, of_equal_tensors_is_perfect) {
  const auto agreement = compare(floats({1, 2, 3}), floats({1, 2, 3})).value();
  EXPECT_EQ(agreement.max_abs, 0);
  EXPECT_EQ(agreement.psnr_db, 999);
  EXPECT_DOUBLE_EQ(agreement.cosine, 1);
}

TEST(Compare, counts_infinities_and_nans_that_are_not_matched) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  constexpr float kInf = std::numeric_limits<float>::infinity();
  const auto agreement = compare(floats({kNan, kInf, kInf, 1, 2}), floats({kNan, kInf, -kInf, kNan, 2.5F})).value();
  EXPECT_EQ(agreement.not_finite, 2);
  EXPECT_EQ(agreement.max_abs, 0.5);
  EXPECT_EQ(agreement.worst_index, 4);
}

TEST(Compare, of_opposite_vectors_has_cosine_minus_one) {
  EXPECT_DOUBLE_EQ(compare(floats({1, -2}), floats({-1, 2}))->cosine, -1);
}

TEST(Compare, names_both_shapes_when_they_differ) {
  const auto agreement = compare(floats({1, 2}), floats({1, 2, 3}));
  ASSERT_FALSE(agreement);
  EXPECT_EQ(agreement.error().code, base::Code::kInvalidArgument);
  EXPECT_THAT(agreement.error().message, testing::AllOf(testing::HasSubstr("[2]"), testing::HasSubstr("[3]")));
}

}  // namespace
}  // namespace slipway::tensor
