#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "media/labels.hpp"
#include "pipelines/mediapipe_common/testing/golden.hpp"

namespace slipway::pipelines::mediapipe::testing {

/// What holds for the pipeline of every kind.
/// @tparam Kind  Pipeline, Object; kFolder, kDetector; kRefusal, said of another network; kWidth, kHeight of the image
///               that kObjects are found in; config(), draw()
template <typename Kind>
class EveryPipeline : public ::testing::Test {
 protected:
  using Pipeline = typename Kind::Pipeline;

  static base::Result<std::unique_ptr<Pipeline>> load(const std::string& detector, const std::string& landmark = "") {
    const std::filesystem::path folder = Kind::kFolder;
    return Pipeline::load(environment(), {folder / detector, landmark.empty() ? "" : folder / landmark}, one_thread(),
                          Kind::config());
  }
  void SetUp() override {
    auto pipeline = load(Kind::kDetector, "landmark.onnx");
    ASSERT_TRUE(pipeline) << pipeline.error().message;
    whole_ = std::move(*pipeline);
  }

  const media::Image image_ = test_image(Kind::kWidth, Kind::kHeight);
  std::unique_ptr<Pipeline> whole_;
};
TYPED_TEST_SUITE_P(EveryPipeline);

TYPED_TEST_P(EveryPipeline, runs_the_detector_once_in_a_sequence) {
  typename TypeParam::Pipeline::Detections found;
  for (int frame = 0; frame < 5; ++frame) {
    ASSERT_TRUE(this->whole_->track(this->image_.view(), frame * 0.04, found));
    EXPECT_EQ(found.detector_ran, frame == 0);
    ASSERT_EQ(found.objects.size(), TypeParam::kObjects);
    EXPECT_EQ(found.objects[0].track_id, 0);
    EXPECT_EQ(found.objects[0].has_keypoints, frame == 0);
  }
  this->whole_->reset();
  ASSERT_TRUE(this->whole_->track(this->image_.view(), 0, found));
  EXPECT_TRUE(found.detector_ran);
  EXPECT_EQ(found.objects[0].track_id, static_cast<int>(TypeParam::kObjects)) << "no number is used twice";
}

TYPED_TEST_P(EveryPipeline, keeps_its_memory_over_ten_thousand_frames) {
  expect_steady_memory(*this->whole_, this->image_);
}

TYPED_TEST_P(EveryPipeline, takes_no_memory_a_frame_before_and_after_the_networks) {
  expect_no_allocations(*this->whole_, this->image_);
}

TYPED_TEST_P(EveryPipeline, refuses_what_does_not_fit) {
  const auto other = TestFixture::load("landmark.onnx");
  ASSERT_FALSE(other);
  EXPECT_NE(other.error().message.find("landmark.onnx"), std::string::npos) << other.error().message;
  EXPECT_NE(other.error().message.find(TypeParam::kRefusal), std::string::npos) << other.error().message;
  EXPECT_FALSE(TestFixture::load(TypeParam::kDetector, TypeParam::kDetector));
  typename TypeParam::Pipeline::Detections found;
  EXPECT_FALSE(this->whole_->run({}, found));
}

TYPED_TEST_P(EveryPipeline, marks_what_it_found_and_survives_points_outside) {
  media::Image image = test_image(100, 80);
  std::vector<typename TypeParam::Object> objects(2);
  objects[0].box = {20, 30, 60, 70};
  auto& outside = objects[1];
  outside.box = {-1e9, -50, 1e9, -20};
  outside.has_landmarks = outside.has_keypoints = true;
  if constexpr (requires { outside.visibility; }) outside.visibility.fill(1);
  outside.landmarks[12] = {1e9F, -1e9F, 0};
  TypeParam::draw(image, objects);
  EXPECT_EQ(image.row(50)[3 * 20 + 1], media::colour_of_class(0)[1]);
}

REGISTER_TYPED_TEST_SUITE_P(EveryPipeline, runs_the_detector_once_in_a_sequence,
                            keeps_its_memory_over_ten_thousand_frames,
                            takes_no_memory_a_frame_before_and_after_the_networks, refuses_what_does_not_fit,
                            marks_what_it_found_and_survives_points_outside);

}  // namespace slipway::pipelines::mediapipe::testing
