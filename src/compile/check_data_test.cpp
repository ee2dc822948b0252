#include "compile/check_data.hpp"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace slipway::compile {
namespace {

using tensor::Dtype;

Prepared prepared_for(std::vector<tensor::TensorSpec> inputs) {
  Prepared prepared;
  prepared.summary.inputs = std::move(inputs);
  prepared.input_ranges.resize(prepared.summary.inputs.size());
  return prepared;
}

TEST(CheckData, covers_images_of_bytes_wholly_and_floats_on_both_sides_of_zero) {
  const auto prepared = prepared_for(
      {{"picture", Dtype::kUint8, {1, 3, 32, 32}, std::nullopt}, {"signal", Dtype::kFloat32, {1, 4096}, std::nullopt}});
  const auto made = check_data(prepared.summary.inputs, check_ranges(prepared), 1);
  ASSERT_TRUE(made) << made.error().message;
  const auto bytes = made->at(0).tensor.values<std::uint8_t>();
  EXPECT_EQ(*std::ranges::min_element(bytes), 0);
  EXPECT_EQ(*std::ranges::max_element(bytes), 255);
  const auto floats = made->at(1).tensor.values<float>();
  EXPECT_LT(*std::ranges::min_element(floats), -0.99);
  EXPECT_GT(*std::ranges::max_element(floats), 0.99);
}

TEST(CheckData, keeps_to_what_the_readers_allow) {
  auto prepared = prepared_for({{"ids", Dtype::kInt64, {1, 512}, std::nullopt}});
  prepared.input_ranges[0] = onnx_graph::InputRange{.lowest = 0, .highest = 29};
  auto ranges = check_ranges(prepared);
  const auto made = check_data(prepared.summary.inputs, ranges, 1).value();
  const auto ids = made[0].tensor.values<std::int64_t>();
  EXPECT_EQ(*std::ranges::min_element(ids), 0);
  EXPECT_EQ(*std::ranges::max_element(ids), 29);
  EXPECT_FALSE(narrow(prepared.summary.inputs, ranges)) << "the readers said so";
  EXPECT_FALSE(widen(prepared.summary.inputs, ranges, 100));
  EXPECT_EQ(in_words(prepared.summary.inputs, ranges), "ids 0 to 29");
}

TEST(CheckData, free_integers_come_closer_until_they_are_0_and_1) {
  const auto prepared = prepared_for({{"n", Dtype::kInt32, {4}, std::nullopt}});
  auto ranges = check_ranges(prepared);
  EXPECT_EQ(ranges[0].values.lowest, -128);
  int steps = 0;
  while (narrow(prepared.summary.inputs, ranges)) ++steps;
  EXPECT_EQ(ranges[0].values.lowest, 0);
  EXPECT_EQ(ranges[0].values.highest, 1);
  EXPECT_LE(steps, 8);
}

}  // namespace
}  // namespace slipway::compile
