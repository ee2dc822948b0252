#include "tensor/testing/golden.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

namespace slipway::tensor::testing {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
const float kNaN = std::nanf("");

TEST(LargestDifference, is_the_largest_wherever_it_stands) {
  EXPECT_EQ(largest_difference(std::vector<float>{1, 2, 3}, std::vector<float>{1, 2, 3}), 0);
  EXPECT_EQ(largest_difference(std::vector<float>{1, 6, 3}, std::vector<int>{1, 2, 4}), 4);
}

TEST(LargestDifference, of_what_is_no_number_is_within_no_bound) {
  for (const auto& [found, expected] :
       std::vector<std::pair<std::vector<float>, std::vector<float>>>{{{kNaN, 1, 2}, {0, 1, 2}},
                                                                      {{0, kNaN, 2}, {0, 1, 2}},
                                                                      {{0, 1, kNaN}, {0, 1, 2}},
                                                                      {{0, 1, 2}, {0, kNaN, 2}},
                                                                      {{kNaN, kNaN, kNaN}, {kNaN, kNaN, kNaN}}}) {
    EXPECT_EQ(largest_difference(found, expected), kInfinity);
  }
}

TEST(LargestDifference, of_other_lengths_or_of_nothing_is_within_no_bound) {
  EXPECT_EQ(largest_difference(std::vector<float>{1, 2}, std::vector<float>{1, 2, 3}), kInfinity);
  EXPECT_EQ(largest_difference(std::vector<float>{}, std::vector<float>{}), kInfinity);
  EXPECT_EQ(LargestDifference().value(), kInfinity);
}

TEST(LargestDifference, of_the_same_infinity_is_none) {
  EXPECT_EQ(largest_difference(std::vector<double>{-kInfinity}, std::vector<double>{-kInfinity}), 0);
  EXPECT_EQ(largest_difference(std::vector<double>{kInfinity}, std::vector<double>{1}), kInfinity);
}

TEST(WorstDifference, is_infinite_when_the_reference_is_of_other_rows) {
  const std::vector<float> values = {0, 1, 2, 3, 4, 5};
  EXPECT_EQ(worst_difference(values, 3, 2, std::vector<float>{0, 2, 3, 5}), 0);
  EXPECT_EQ(worst_difference(values, 3, 2, std::vector<float>{0, 2, 3}), kInfinity);
}

}  // namespace
}  // namespace slipway::tensor::testing
