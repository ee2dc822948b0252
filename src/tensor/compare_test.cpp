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
  EXPECT_EQ(agreement->not_comparable, 0);
}

TEST(Compare, of_equal_tensors_is_perfect) {
  const auto agreement = compare(floats({1, 2, 3}), floats({1, 2, 3})).value();
  EXPECT_EQ(agreement.max_abs, 0);
  EXPECT_EQ(agreement.psnr_db, 999);
  EXPECT_EQ(agreement.snr_db, 999);
  EXPECT_DOUBLE_EQ(agreement.cosine, 1);
  EXPECT_EQ(agreement.equal_share(), 1);
}

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

TEST(Compare, counts_elements_that_cannot_be_compared) {
  const auto agreement = compare(floats({kInf, kInf, 1, 1, 2}), floats({kInf, -kInf, kNan, kInf, 2.5F})).value();
  EXPECT_EQ(agreement.count, 5);
  EXPECT_EQ(agreement.not_comparable, 3);
  EXPECT_EQ(agreement.equal, 1);
  EXPECT_EQ(agreement.reference_nan, 0);
  EXPECT_EQ(agreement.max_abs, 0.5);
  EXPECT_EQ(agreement.worst_index, 4);
}

TEST(Compare, counts_what_is_no_number_in_the_reference_itself_apart) {
  const auto agreement = compare(floats({kNan, kNan, 1}), floats({kNan, 3, 1})).value();
  EXPECT_EQ(agreement.reference_nan, 2);
  EXPECT_EQ(agreement.not_comparable, 0);
  EXPECT_EQ(agreement.equal, 2);
  EXPECT_EQ(agreement.max_abs, 0);
}

TEST(Compare, gives_signal_to_noise_and_the_share_of_equal_elements) {
  const auto agreement = compare(floats({3, 4, 0, 0}), floats({3, 4.5F, 0, 0})).value();
  EXPECT_DOUBLE_EQ(agreement.snr_db, 20);  // 25 against 0.25
  EXPECT_DOUBLE_EQ(agreement.equal_share(), 0.75);
  EXPECT_EQ(compare(floats({0, 0}), floats({0, 1}))->snr_db, -std::numeric_limits<double>::infinity());
}

TEST(Compare, of_opposite_vectors_has_cosine_minus_one) {
  EXPECT_DOUBLE_EQ(compare(floats({1, -2}), floats({-1, 2}))->cosine, -1);
}

TEST(Compare, names_both_shapes_when_they_differ) {
  const auto agreement = compare(floats({1, 2}), floats({1, 2, 3}));
  ASSERT_FALSE(agreement);
  EXPECT_EQ(agreement.error().code, base::Code::kInvalidArgument);
  EXPECT_THAT(agreement.error().message, ::testing::AllOf(::testing::HasSubstr("[2]"), ::testing::HasSubstr("[3]")));
}

}  // namespace
}  // namespace slipway::tensor
