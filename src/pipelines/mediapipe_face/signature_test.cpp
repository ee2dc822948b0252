#include "pipelines/mediapipe_face/signature.hpp"

#include <gtest/gtest.h>

#include "base/testing/value_of.hpp"

namespace slipway::pipelines::mediapipe_face {
namespace {

using base::testing::value_of;
using tensor::Dtype;
using tensor::TensorSpec;

TensorSpec spec(const std::string& name, tensor::Shape shape, Dtype dtype = Dtype::kFloat32) {
  return {name, dtype, std::move(shape), std::nullopt};
}

TEST(DetectorSignature, knows_the_three_detectors_in_either_layout) {
  struct Case {
    tensor::Shape input;
    std::int64_t rows;
    Variant variant;
    media::Layout layout;
  };
  for (const Case& each : {Case{{1, 128, 128, 3}, 896, Variant::kShortRange, media::Layout::kNhwc},
                           Case{{-1, 3, 128, 128}, 896, Variant::kShortRange, media::Layout::kNchw},
                           Case{{1, 192, 192, 3}, 2304, Variant::kFullRange, media::Layout::kNhwc},
                           Case{{1, 3, 256, 256}, 896, Variant::kBack, media::Layout::kNchw}}) {
    const auto found = value_of(read_detector_signature(
        detector_family(), {spec("x", each.input)}, {spec("s", {1, each.rows, 1}), spec("b", {1, each.rows, 16})}, {}));
    EXPECT_EQ(found.kind, static_cast<std::size_t>(each.variant));
    EXPECT_EQ(found.input.layout, each.layout);
    ASSERT_EQ(found.heads.size(), 1U);
    EXPECT_EQ(found.heads[0].coordinates, 1U);
    EXPECT_EQ(found.heads[0].logits, 0U);
  }
}

// Qualcomm's package since 0.65: heads come unjoined.
TEST(DetectorSignature, puts_split_heads_into_the_order_of_the_anchors) {
  const auto found =
      value_of(read_detector_signature(detector_family(), {spec("image", {1, 3, 256, 256})},
                                       {spec("box_coords_2", {1, 384, 16}), spec("box_coords_1", {1, 512, 16}),
                                        spec("box_scores_1", {1, 512, 1}), spec("box_scores_2", {1, 384, 1})},
                                       {}));
  ASSERT_EQ(found.heads.size(), 2U);
  EXPECT_EQ(found.heads[0].coordinates, 1U);
  EXPECT_EQ(found.heads[0].logits, 2U);
  EXPECT_EQ(found.heads[1].rows, 384U);
}

TEST(DetectorSignature, names_what_it_found_when_it_is_another_network) {
  const auto sides = read_detector_signature(detector_family(), {spec("x", {1, 3, 128, 64})}, {}, {});
  ASSERT_FALSE(sides);
  EXPECT_NE(sides.error().message.find("[1,3,128,64]"), std::string::npos) << sides.error().message;
  const auto rows = read_detector_signature(detector_family(), {spec("x", {1, 128, 128, 3})},
                                            {spec("b", {1, 895, 16}), spec("s", {1, 895, 1})}, {});
  ASSERT_FALSE(rows);
  EXPECT_NE(rows.error().message.find("512 + 384"), std::string::npos) << rows.error().message;
  EXPECT_NE(rows.error().message.find("895"), std::string::npos) << rows.error().message;
  EXPECT_FALSE(read_detector_signature(detector_family(), {}, {}, {}));
  EXPECT_FALSE(read_detector_signature(detector_family(), {spec("x", {1, 160, 160, 3})}, {}, {}));
}

TEST(DetectorSignature, asks_for_the_scales_of_integers) {
  const std::vector<TensorSpec> inputs = {spec("x", {1, 128, 128, 3}, Dtype::kUint8)},
                                outputs = {spec("b", {1, 896, 16}), spec("s", {1, 896, 1})};
  const auto without = read_detector_signature(detector_family(), inputs, outputs, {});
  ASSERT_FALSE(without);
  EXPECT_NE(without.error().message.find("scale"), std::string::npos);
  const auto with = read_detector_signature(detector_family(), inputs, outputs, {{"x", {0.5F, 3}}});
  ASSERT_TRUE(with);
  EXPECT_EQ(with->input.spec.quantization->zero_point, 3);
  EXPECT_FALSE(read_detector_signature(detector_family(), {spec("x", {1, 128, 128, 3}, Dtype::kInt64)}, outputs, {}));
}

TEST(LandmarkSignature, tells_the_packages_network_from_mediapipes) {
  const auto own = value_of(read_landmark_signature(
      {spec("image", {1, 192, 192, 3})}, {spec("landmarks", {1, 1, 1, 1404}), spec("face_flag", {1, 1, 1, 1})}, {}));
  EXPECT_EQ(own.unit, LandmarkUnit::kCropPixels);
  EXPECT_TRUE(own.flag_is_logit);
  const auto package = value_of(read_landmark_signature({spec("image", {1, 3, 192, 192})},
                                                        {spec("scores", {1}), spec("landmarks", {1, 468, 3})}, {}));
  EXPECT_EQ(package.unit, LandmarkUnit::kCropFraction);
  EXPECT_FALSE(package.flag_is_logit);
  EXPECT_EQ(package.landmarks, 1U);
  EXPECT_FALSE(read_landmark_signature({spec("image", {1, 3, 192, 192})}, {spec("scores", {1})}, {}));
}

}  // namespace
}  // namespace slipway::pipelines::mediapipe_face
