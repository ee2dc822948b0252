#include "base/testing/value_of.hpp"
#include "pipelines/mediapipe_common/testing/pipeline_suite.hpp"
#include "pipelines/mediapipe_pose/pose.hpp"

namespace slipway::pipelines::mediapipe_pose {
namespace {

using base::testing::value_of;
using namespace mediapipe::testing;  // NOLINT(google-build-using-namespace): one test

const std::filesystem::path kFolder = "tests/golden/mediapipe_pose";

const nlohmann::json& golden() {
  static const nlohmann::json kGolden = read_json(kFolder / "mediapipe.json");
  return kGolden;
}

media::Image test_image() {
  return mediapipe::testing::test_image(512, 512);
}

TEST(MediapipePose, finds_the_person_that_mediapipe_finds) {
  Config config;
  config.find_landmarks = false;
  auto pipeline = value_of(MediapipePose::load(environment(), {kFolder / "person.onnx", {}}, {}, config));
  Detections found;
  for (int again = 0; again < 2; ++again) ASSERT_TRUE(pipeline->run(test_image().view(), found));
  ASSERT_GE(found.objects.size(), 1U);
  const nlohmann::json& person = golden()["person"];
  const Pose& pose = found.objects[0];
  expect_detection(pose, person, 0.02);
  expect_region(pose.region, person["region"], 0.05);
  EXPECT_FALSE(pose.has_landmarks);
}

TEST(MediapipePose, places_the_landmarks_where_mediapipe_places_them) {
  auto pipeline =
      value_of(MediapipePose::load(environment(), {kFolder / "person.onnx", kFolder / "landmark.onnx"}, {}, {}));
  Detections found;
  ASSERT_TRUE(pipeline->run(test_image().view(), found));
  ASSERT_EQ(found.objects.size(), 1U);
  const Pose& pose = found.objects[0];
  ASSERT_TRUE(pose.has_landmarks);
  expect_points(pose.landmarks, golden()["landmarks"], 1, 0.3F);
  expect_points(pose.world_landmarks, golden()["world_landmarks"], 1000, 0.5F);
  for (std::size_t i = 0; i < kLandmarkCount; ++i) {
    EXPECT_NEAR(pose.visibility[i], golden()["visibility"][i].get<float>(), 1e-3F) << i;
  }
  expect_region(body_region(pose, kRegionScale), golden()["next_region"], 1);
  EXPECT_EQ(found.landmark_runs, 1);
}

struct Kind {
  using Pipeline = MediapipePose;
  using Object = Pose;
  static constexpr const char* kFolder = "tests/golden/mediapipe_pose";
  static constexpr const char* kDetector = "person.onnx";
  static constexpr const char* kRefusal = "person";
  static constexpr int kWidth = 512, kHeight = 512;
  static constexpr std::size_t kObjects = 1;
  static Config config() { return {}; }
  static void draw(media::Image& image, const std::vector<Pose>& found) { draw_poses(image, found); }
};
INSTANTIATE_TYPED_TEST_SUITE_P(MediapipePose, EveryPipeline, Kind);

TEST(PoseSmoother, smooths_what_it_shows_and_starts_anew_with_another_person) {
  PoseSmoother smoother;
  mediapipe::OneEuroFilter landmarks{mediapipe::OneEuroSettings{}};
  Pose pose;
  const auto show = [&](double time_s, bool is_new, float x, float visibility) {
    for (Landmark& point : pose.landmarks) point = {x, 100, 0};
    pose.auxiliary = {Landmark{200, 200, 0}, Landmark{200, 100, 0}};
    pose.visibility.fill(visibility);
    if (is_new) landmarks.reset();
    smoother.apply(time_s, is_new, true, landmarks, pose);
  };
  show(0, true, 100, 1);
  EXPECT_EQ(pose.landmarks[5].x, 100);
  EXPECT_NEAR(body_region(pose, kRegionScale).width, 250, 1e-6);
  EXPECT_NEAR(body_region(pose, kRegionScale).angle, 0, 1e-9);
  show(0.04, false, 101, 0);
  EXPECT_GT(pose.landmarks[5].x, 100);
  EXPECT_LT(pose.landmarks[5].x, 101);
  EXPECT_NEAR(pose.visibility[5], 0.9F, 1e-6F);
  show(0.12, true, 300, 0);
  EXPECT_EQ(pose.landmarks[5].x, 300);
  EXPECT_EQ(pose.visibility[5], 0);
}

TEST(Refine, moves_to_the_middle_of_the_heat_and_leaves_what_is_unsure_or_outside) {
  auto tensor = *tensor::Tensor::zeros(tensor::Dtype::kFloat32, {1, 64, 64, 39});
  std::ranges::fill(tensor.values<float>(), -20.0F);
  const auto set = [&](std::size_t x, std::size_t y, float logit) {
    tensor.values<float>()[(y * 64 + x) * 39 + 7] = logit;
  };
  set(20, 30, 20);
  set(22, 30, 20);
  const RealValues heat = *RealValues::over(tensor, std::nullopt, "heatmap");
  const media::Point found = refine(heat, 7, {19.7, 31.2});
  EXPECT_NEAR(found.x, 21, 1e-4);
  EXPECT_NEAR(found.y, 30, 1e-4);
  EXPECT_EQ(refine(heat, 8, {19.7, 31.2}).x, 19.7);
  EXPECT_EQ(refine(heat, 7, {-0.5, 31}).x, -0.5);
  EXPECT_EQ(refine(heat, 7, {64, 31}).x, 64);
}

TEST(MediapipePose, names_the_network_that_is_no_landmark_network) {
  const auto twice = MediapipePose::load(environment(), {kFolder / "person.onnx", kFolder / "person.onnx"}, {}, {});
  ASSERT_FALSE(twice);
  EXPECT_NE(twice.error().message.find("not the pose landmark network"), std::string::npos) << twice.error().message;
}

}  // namespace
}  // namespace slipway::pipelines::mediapipe_pose
