#include "pipelines/common/real_values.hpp"

#include <array>

#include <gtest/gtest.h>

namespace slipway::pipelines {
namespace {

TEST(RealValues, undoes_the_quantisation_of_each_integer_type) {
  const std::array<std::int8_t, 2> stored = {-128, 127};
  auto tensor = tensor::Tensor::copy_of(tensor::Dtype::kInt8, {2}, std::as_bytes(std::span(stored)));
  ASSERT_TRUE(tensor);
  const auto values = RealValues::over(*tensor, tensor::Quantization{0.5F, -128}, "heatmap");
  ASSERT_TRUE(values);
  EXPECT_EQ((*values)[0], 0);
  EXPECT_EQ((*values)[1], 127.5);
}

TEST(RealValues, names_the_output_that_lacks_its_scale) {
  auto tensor = tensor::Tensor::zeros(tensor::Dtype::kUint8, {2});
  const auto values = RealValues::over(*tensor, std::nullopt, "heatmap");
  ASSERT_FALSE(values);
  EXPECT_NE(values.error().message.find("'heatmap'"), std::string::npos);
  auto wrong = tensor::Tensor::zeros(tensor::Dtype::kInt64, {2});
  EXPECT_FALSE(RealValues::over(*wrong, tensor::Quantization{}, "heatmap"));
}

}  // namespace
}  // namespace slipway::pipelines
