#include "tensor/float16.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "tensor/npz.hpp"

namespace slipway::tensor {
namespace {

TEST(Float16, rounds_and_reads_back_as_numpy_does) {
  const auto golden = read_npz("tests/golden/tensor/halves.npz");
  ASSERT_TRUE(golden) << golden.error().message;
  const auto floats = golden->at(0).tensor.values<float>();
  const auto halves = golden->at(1).tensor.values<std::uint16_t>();
  const auto back = golden->at(2).tensor.values<float>();
  ASSERT_GT(floats.size(), 2000U);
  for (std::size_t i = 0; i < floats.size(); ++i) {
    EXPECT_EQ(half_from_float(floats[i]), halves[i]) << floats[i];
    EXPECT_EQ(float_from_half(halves[i]), back[i]) << floats[i];
  }
}

TEST(Float16, every_half_survives_the_way_through_float) {
  for (unsigned bits = 0; bits < 0x10000U; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    if (std::isnan(float_from_half(half))) {
      EXPECT_TRUE(std::isnan(float_from_half(half_from_float(float_from_half(half)))));
    } else {
      EXPECT_EQ(half_from_float(float_from_half(half)), half);
    }
  }
}

TEST(Bfloat16, is_the_upper_half_of_a_float) {
  EXPECT_EQ(float_from_bfloat16(0x3FC0), 1.5F);
}

}  // namespace
}  // namespace slipway::tensor
