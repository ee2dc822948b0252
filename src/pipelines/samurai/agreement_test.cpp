#include "pipelines/samurai/agreement.hpp"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

namespace slipway::pipelines::samurai {
namespace {

constexpr int kAgreementSide = 8;

/// Logits of 1 in columns [from, to), -1 elsewhere.
std::vector<float> columns(int from, int to) {
  std::vector<float> logits(kAgreementSide * kAgreementSide, -1);
  for (int y = 0; y < kAgreementSide; ++y) {
    for (int x = from; x < to; ++x) logits[static_cast<std::size_t>(y * kAgreementSide + x)] = 1;
  }
  return logits;
}

TEST(CompareMasks, counts_pixels_of_both_and_either) {
  const MaskAgreement agreement =
      compare_masks(columns(0, 4), columns(2, 6), kAgreementSide, kAgreementSide, kAgreementSide);
  EXPECT_DOUBLE_EQ(agreement.iou, 2.0 / 6);
  EXPECT_EQ(agreement.box_difference, 2);
  EXPECT_EQ(agreement.logits_relative, 2);
}

TEST(CompareMasks, equal_and_empty_masks_agree) {
  const MaskAgreement equal = compare_masks(columns(1, 3), columns(1, 3), kAgreementSide, 50, 20);
  EXPECT_EQ(equal.iou, 1);
  EXPECT_EQ(equal.box_difference, 0);
  EXPECT_EQ(equal.logits_relative, 0);
  EXPECT_EQ(compare_masks(columns(0, 0), columns(0, 0), kAgreementSide, 50, 20).iou, 1);
}

TEST(CompareMasks, logits_that_are_all_zero_agree_with_their_like_alone) {
  const std::vector<float> zeros(kAgreementSide * kAgreementSide, 0);
  EXPECT_EQ(compare_masks(zeros, zeros, kAgreementSide, kAgreementSide, kAgreementSide).logits_relative, 0);
  EXPECT_TRUE(
      std::isinf(compare_masks(columns(1, 3), zeros, kAgreementSide, kAgreementSide, kAgreementSide).logits_relative));
}

TEST(CompareMasks, what_is_no_number_agrees_with_nothing) {
  std::vector<float> broken = columns(1, 3);
  broken[5] = std::nanf("");
  EXPECT_TRUE(
      std::isinf(compare_masks(broken, columns(1, 3), kAgreementSide, kAgreementSide, kAgreementSide).logits_relative));
}

}  // namespace
}  // namespace slipway::pipelines::samurai
