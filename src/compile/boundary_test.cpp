#include "compile/boundary.hpp"

#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace slipway::compile {
namespace {

using tensor::Dtype;
using tensor::Tensor;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Tensor counted(tensor::Shape shape) {
  auto tensor = Tensor::zeros(Dtype::kInt32, std::move(shape));
  std::iota(tensor->values<std::int32_t>().begin(), tensor->values<std::int32_t>().end(), 0);
  return std::move(*tensor);
}

std::vector<std::int32_t> values(const Tensor& tensor) {
  const auto span = tensor.values<std::int32_t>();
  return {span.begin(), span.end()};
}

TEST(Boundary, channels_move_to_the_second_place_of_inputs) {
  // numpy: np.arange(12).reshape(1, 2, 2, 3).transpose(0, 3, 1, 2).ravel()
  const Boundary boundary{.source_inputs = {{"x", Dtype::kInt32, {1, 3, 2, 2}, std::nullopt}},
                          .channel_last_inputs = {true},
                          .channel_last_outputs = {}};
  tensor::NamedTensors inputs;
  inputs.push_back({"nhwc", counted({1, 2, 2, 3})});
  const auto source = to_source_inputs(boundary, inputs);
  ASSERT_TRUE(source);
  EXPECT_EQ(source->front().name, "x");
  EXPECT_THAT(source->front().tensor.shape(), ElementsAre(1, 3, 2, 2));
  EXPECT_THAT(values(source->front().tensor), ElementsAre(0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11));
}

TEST(Boundary, channels_move_to_the_last_place_of_outputs) {
  // numpy: np.arange(12).reshape(2, 2, 3).transpose(0, 2, 1).ravel()
  tensor::NamedTensors outputs;
  outputs.push_back({"y", counted({2, 2, 3})});
  const auto moved = from_source_outputs({{}, {}, {true}}, std::move(outputs));
  ASSERT_TRUE(moved);
  EXPECT_THAT(moved->front().tensor.shape(), ElementsAre(2, 3, 2));
  EXPECT_THAT(values(moved->front().tensor), ElementsAre(0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11));
}

TEST(Boundary, truncated_integers_get_their_64_bits_back) {
  const Boundary boundary{.source_inputs = {{"ids", Dtype::kInt64, {3}, std::nullopt}},
                          .channel_last_inputs = {},
                          .channel_last_outputs = {}};
  tensor::NamedTensors inputs;
  inputs.push_back({"ids", counted({3})});
  inputs.front().tensor.values<std::int32_t>()[0] = -7;
  const auto source = to_source_inputs(boundary, inputs);
  ASSERT_TRUE(source);
  const auto wide = source->front().tensor.values<std::int64_t>();
  EXPECT_THAT(std::vector<std::int64_t>(wide.begin(), wide.end()), ElementsAre(-7, 1, 2));
}

TEST(Boundary, what_cannot_be_mapped_is_refused) {
  const Boundary boundary{.source_inputs = {{"x", Dtype::kFloat32, {3}, std::nullopt}},
                          .channel_last_inputs = {},
                          .channel_last_outputs = {}};
  tensor::NamedTensors inputs;
  EXPECT_THAT(to_source_inputs(boundary, inputs).error().message, HasSubstr("expected 1 inputs, found 0"));
  inputs.push_back({"x", counted({3})});
  EXPECT_THAT(to_source_inputs(boundary, inputs).error().message, HasSubstr("expected float32, found int32"));
}

}  // namespace
}  // namespace slipway::compile
