#include "pipelines/face_det_lite/signature.hpp"

#include <gtest/gtest.h>

#include "base/testing/value_of.hpp"

namespace slipway::pipelines::face_det_lite {
namespace {

using base::testing::value_of;
using tensor::Dtype;
using tensor::TensorSpec;

TensorSpec spec(std::string name, tensor::Shape shape, Dtype dtype = Dtype::kFloat32) {
  return {.name = std::move(name), .dtype = dtype, .shape = std::move(shape), .quantization = std::nullopt};
}

TEST(ReadSignature, finds_the_heads_by_their_shapes_in_any_order) {
  const auto signature = value_of(
      read_signature({spec("input", {1, 1, 480, 640})},
                     {spec("landmark", {1, 10, 60, 80}), spec("hm", {1, 1, 60, 80}), spec("box", {1, 4, 60, 80})}, {}));
  EXPECT_EQ(signature.heatmap.index, 1U);
  EXPECT_EQ(signature.box.index, 2U);
  EXPECT_EQ(signature.landmark.index, 0U);
  EXPECT_EQ(signature.width, 640);
}

TEST(ReadSignature, takes_channels_last_and_dynamic_sizes) {
  const auto last =
      value_of(read_signature({spec("input", {1, 480, 640, 1})},
                              {spec("a", {1, 60, 80, 1}), spec("b", {1, 60, 80, 4}), spec("c", {1, 60, 80, 10})}, {}));
  EXPECT_EQ(last.box.layout, media::Layout::kNhwc);
  const auto dynamic = value_of(
      read_signature({spec("input", {-1, 1, -1, -1})},
                     {spec("a", {-1, 1, -1, -1}), spec("b", {-1, 4, -1, -1}), spec("c", {-1, 10, -1, -1})}, {}));
  EXPECT_EQ(dynamic.input.shape, (tensor::Shape{1, 1, 480, 640}));
}

TEST(ReadSignature, names_the_tensor_that_does_not_fit) {
  const auto colour = read_signature({spec("image", {1, 3, 256, 256})}, {}, {});
  ASSERT_FALSE(colour);
  EXPECT_NE(colour.error().message.find("'image'"), std::string::npos) << colour.error().message;
  EXPECT_NE(colour.error().message.find("float32[1,3,256,256]"), std::string::npos) << colour.error().message;
  const auto no_box = read_signature({spec("input", {1, 1, 480, 640})}, {spec("heatmap", {1, 1, 60, 80})}, {});
  ASSERT_FALSE(no_box);
  EXPECT_NE(no_box.error().message.find("no box output: expected one of [1, 4, 60, 80]"), std::string::npos)
      << no_box.error().message;
  EXPECT_FALSE(read_signature({spec("input", {1, 1, 481, 640})}, {}, {}));
  EXPECT_FALSE(read_signature({spec("input", {2, 1, 480, 640})}, {}, {}));
  EXPECT_FALSE(read_signature({spec("a", {1, 1, 480, 640}), spec("b", {1})}, {}, {}));
  EXPECT_FALSE(read_signature({}, {}, {}));
}

TEST(ReadSignature, asks_for_the_scale_of_an_integer_tensor) {
  const std::vector<TensorSpec> inputs = {spec("input", {1, 1, 480, 640}, Dtype::kUint8)};
  const std::vector<TensorSpec> outputs = {spec("a", {1, 1, 60, 80}), spec("b", {1, 4, 60, 80}),
                                           spec("c", {1, 10, 60, 80})};
  const auto missing = read_signature(inputs, outputs, {});
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().message.find("'input' is uint8"), std::string::npos) << missing.error().message;
  const auto given = read_signature(inputs, outputs, {{"input", {0.004F, 2}}});
  ASSERT_TRUE(given);
  EXPECT_EQ(given->input.quantization->zero_point, 2);
}

}  // namespace
}  // namespace slipway::pipelines::face_det_lite
