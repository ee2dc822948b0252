#include "pipelines/yolov8/signature.hpp"

#include <gtest/gtest.h>

#include "base/testing/value_of.hpp"

namespace slipway::pipelines::yolov8 {
namespace {

using base::testing::value_of;
using tensor::Dtype;
using tensor::TensorSpec;

TensorSpec spec(const std::string& name, tensor::Shape shape, Dtype dtype = Dtype::kFloat32) {
  return {.name = name, .dtype = dtype, .shape = std::move(shape), .quantization = std::nullopt};
}

const TensorSpec kInput = spec("images", {1, 3, 640, 640});

TEST(ReadSignature, takes_ultralytics_one_tensor) {
  const auto signature = value_of(read_signature({kInput}, {spec("output0", {1, 84, 8400})}, {}));
  EXPECT_EQ(signature.anchors, 8400);
  EXPECT_EQ(signature.class_count, 80);
  EXPECT_EQ(signature.box_form, BoxForm::kCentre);
  EXPECT_EQ(signature.score.first_channel, 4);
  EXPECT_FALSE(signature.prototypes);
}

TEST(ReadSignature, takes_the_two_tensors_of_a_split_output_in_any_order_and_layout) {
  for (const bool is_last : {false, true}) {
    const auto shape = [&](std::int64_t channels) {
      return is_last ? tensor::Shape{1, 8400, channels} : tensor::Shape{1, channels, 8400};
    };
    const auto signature = value_of(read_signature({kInput}, {spec("scores", shape(80)), spec("boxes", shape(4))}, {}));
    EXPECT_EQ(signature.box.index, 1U);
    EXPECT_EQ(signature.class_count, 80);
    EXPECT_EQ(signature.box.channel_step, is_last ? 1U : 8400U);
    EXPECT_EQ(signature.box_form, BoxForm::kCentre);
  }
}

TEST(ReadSignature, takes_chosen_classes_with_corners) {
  const auto signature = value_of(read_signature(
      {spec("image", {1, 640, 640, 3})},
      {spec("boxes", {1, 8400, 4}), spec("scores", {1, 8400}), spec("class_idx", {1, 8400}, Dtype::kUint8)}, {}));
  EXPECT_EQ(signature.layout, media::Layout::kNhwc);
  EXPECT_EQ(signature.box_form, BoxForm::kCorners);
  EXPECT_EQ(signature.class_index->index, 2U);
}

TEST(ReadSignature, tells_quantised_scores_from_classes_by_their_scale) {
  const std::vector<TensorSpec> outputs = {spec("boxes", {1, 8400, 4}, Dtype::kUint8),
                                           spec("scores", {1, 8400}, Dtype::kUint8),
                                           spec("class_idx", {1, 8400}, Dtype::kUint8)};
  const auto signature = value_of(read_signature({kInput}, outputs, {{"boxes", {3, 0}}, {"scores", {0.004F, 0}}}));
  EXPECT_EQ(signature.score.index, 1U);
  EXPECT_EQ(signature.class_index->index, 2U);
}

TEST(ReadSignature, takes_segmentation_networks) {
  const auto joined =
      value_of(read_signature({kInput}, {spec("output0", {1, 116, 8400}), spec("output1", {1, 32, 160, 160})}, {}));
  EXPECT_EQ(joined.class_count, 80);
  EXPECT_EQ(joined.coefficients->first_channel, 84);
  EXPECT_EQ(joined.prototype_width, 160);
  const auto chosen = value_of(
      read_signature({kInput},
                     {spec("boxes", {1, 8400, 4}), spec("scores", {1, 8400}), spec("mask_coeffs", {1, 8400, 32}),
                      spec("class_idx", {1, 8400}, Dtype::kUint8), spec("protos", {1, 32, 160, 160})},
                     {}));
  EXPECT_EQ(chosen.coefficients->index, 2U);
}

TEST(ReadSignature, takes_dynamic_sides_as640) {
  const auto signature =
      value_of(read_signature({spec("images", {-1, 3, -1, -1})}, {spec("output0", {-1, 84, -1})}, {}));
  EXPECT_EQ(signature.width, 640);
  EXPECT_EQ(signature.input.shape, (tensor::Shape{1, 3, 640, 640}));
}

TEST(ReadSignature, names_the_tensor_that_does_not_fit) {
  const auto other_input = read_signature({spec("grey", {1, 1, 480, 640})}, {spec("output0", {1, 84, 8400})}, {});
  ASSERT_FALSE(other_input);
  EXPECT_NE(other_input.error().message.find("'grey'"), std::string::npos) << other_input.error().message;
  const auto other_output = read_signature({kInput}, {spec("heat", {1, 84, 77})}, {});
  ASSERT_FALSE(other_output);
  EXPECT_NE(other_output.error().message.find("'heat'"), std::string::npos) << other_output.error().message;
  EXPECT_NE(other_output.error().message.find("8400"), std::string::npos) << other_output.error().message;
  EXPECT_FALSE(read_signature({kInput}, {spec("boxes", {1, 8400, 4})}, {}));
  EXPECT_FALSE(read_signature({kInput}, {spec("output0", {1, 3, 8400})}, {}));
  EXPECT_FALSE(read_signature({kInput}, {spec("boxes", {1, 8400, 4}), spec("scores", {1, 8400})}, {}));
  EXPECT_FALSE(read_signature({kInput}, {}, {}));
  const auto no_scale = read_signature({kInput}, {spec("output0", {1, 84, 8400}, Dtype::kUint8)}, {});
  ASSERT_FALSE(no_scale);
  EXPECT_NE(no_scale.error().message.find("scale"), std::string::npos);
}

}  // namespace
}  // namespace slipway::pipelines::yolov8
