#include "pipelines/mediapipe_hand/signature.hpp"

#include <gtest/gtest.h>

#include "base/testing/value_of.hpp"

namespace slipway::pipelines::mediapipe_hand {
namespace {

using base::testing::value_of;
tensor::TensorSpec spec(const std::string& name, tensor::Shape shape) {
  return {name, tensor::Dtype::kFloat32, std::move(shape), std::nullopt};
}

TEST(PalmSignature, knows_the_palm_detector) {
  const auto found =
      value_of(mediapipe::read_detector_signature(detector_family(), {spec("image", {1, 3, 192, 192})},
                                                  {spec("scores", {1, 2016, 1}), spec("boxes", {1, 2016, 18})}, {}));
  ASSERT_EQ(found.heads.size(), 1U);
  EXPECT_EQ(found.heads[0].coordinates, 1U);
  EXPECT_EQ(found.heads[0].rows, 2016U);
  // The full-range face detector has the same input.
  EXPECT_FALSE(mediapipe::read_detector_signature(detector_family(), {spec("image", {1, 192, 192, 3})},
                                                  {spec("b", {1, 2304, 16}), spec("s", {1, 2304, 1})}, {}));
}

TEST(HandSignature, tells_outputs_apart_by_name_and_else_by_order) {
  const tensor::TensorSpec input = spec("image", {1, 224, 224, 3});
  const auto ordered = value_of(read_landmark_signature(
      {input}, {spec("a", {1, 63}), spec("b", {1, 1}), spec("c", {1, 1}), spec("d", {1, 63})}, {}));
  EXPECT_EQ(ordered.landmarks, 0U);
  EXPECT_EQ(ordered.presence, 1U);
  EXPECT_EQ(ordered.handedness, 2U);
  EXPECT_EQ(ordered.world, 3U);
  const auto named = value_of(read_landmark_signature({input},
                                                      {spec("world_landmarks", {1, 63}), spec("handedness", {1, 1}),
                                                       spec("landmarks", {1, 63}), spec("presence", {1, 1})},
                                                      {}));
  EXPECT_EQ(named.landmarks, 2U);
  EXPECT_EQ(named.presence, 3U);
  EXPECT_EQ(named.handedness, 1U);
  EXPECT_EQ(named.world, 0U);
}

TEST(HandSignature, takes_the_batch_that_is_asked_for_or_any_where_it_is_free) {
  for (const std::int64_t batch : {4, -1}) {
    const auto found =
        value_of(read_landmark_signature({spec("image", {batch, 3, 224, 224})},
                                         {spec("landmarks", {batch, 63}), spec("presence", {batch, 1}),
                                          spec("handedness", {batch, 1}), spec("world_landmarks", {batch, 63})},
                                         {}, 4));
    EXPECT_EQ(found.input.spec.shape[0], 4);
    EXPECT_EQ(found.input.is_batch_free, batch == -1);
  }
  const std::vector<tensor::TensorSpec> scores_of_one = {spec("boxes", {4, 2016, 18}), spec("scores", {1, 2016, 1})};
  const auto outputs =
      mediapipe::read_detector_signature(detector_family(), {spec("image", {4, 192, 192, 3})}, scores_of_one, {}, 4);
  ASSERT_FALSE(outputs);
  EXPECT_NE(outputs.error().message.find("'scores': expected a batch of 4"), std::string::npos)
      << outputs.error().message;
  const auto input =
      mediapipe::read_detector_signature(detector_family(), {spec("image", {1, 192, 192, 3})}, {}, {}, 4);
  ASSERT_FALSE(input);
  for (const char* part : {"'image'", "a batch of 4", "[1,192,192,3]", "--batch 4", "--batch dynamic"}) {
    EXPECT_NE(input.error().message.find(part), std::string::npos) << part << " in " << input.error().message;
  }
}

TEST(HandSignature, names_what_it_found_when_it_is_another_network) {
  const auto found =
      read_landmark_signature({spec("image", {1, 224, 224, 3})}, {spec("points", {1, 63}), spec("flag", {1, 1})}, {});
  ASSERT_FALSE(found);
  EXPECT_NE(found.error().message.find("'points'"), std::string::npos) << found.error().message;
  EXPECT_NE(found.error().message.find("63"), std::string::npos);
}

}  // namespace
}  // namespace slipway::pipelines::mediapipe_hand
