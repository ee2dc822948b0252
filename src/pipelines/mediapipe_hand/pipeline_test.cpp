#include "base/testing/value_of.hpp"
#include "pipelines/mediapipe_common/testing/pipeline_suite.hpp"
#include "pipelines/mediapipe_hand/hand.hpp"

namespace slipway::pipelines::mediapipe_hand {
namespace {

using base::testing::value_of;
using namespace mediapipe::testing;  // NOLINT(google-build-using-namespace): one test

const std::filesystem::path kFolder = "tests/golden/mediapipe_hand";

const nlohmann::json& golden() {
  static const nlohmann::json kGolden = read_json(kFolder / "mediapipe.json");
  return kGolden;
}

media::Image test_image() {
  return mediapipe::testing::test_image(640, 480);
}

TEST(MediapipeHand, finds_the_palms_that_mediapipe_finds) {
  Config config;
  config.find_landmarks = false;
  auto pipeline = value_of(MediapipeHand::load(environment(), {kFolder / "palm.onnx", {}}, {}, config));
  Detections found;
  for (int again = 0; again < 2; ++again) ASSERT_TRUE(pipeline->run(test_image().view(), found));
  const nlohmann::json& palms = golden()["palms"];
  ASSERT_EQ(found.objects.size(), palms.size());
  for (std::size_t i = 0; i < palms.size(); ++i) {
    const Hand& hand = found.objects[i];
    expect_detection(hand, palms[i], 0.02);
    expect_region(hand.region, palms[i]["region"], 0.05);
    EXPECT_FALSE(hand.has_landmarks);
  }
}

TEST(MediapipeHand, places_the_landmarks_where_mediapipe_places_them) {
  auto pipeline =
      value_of(MediapipeHand::load(environment(), {kFolder / "palm.onnx", kFolder / "landmark.onnx"}, {}, {}));
  Detections found;
  ASSERT_TRUE(pipeline->run(test_image().view(), found));
  ASSERT_EQ(found.objects.size(), 2U);
  const Hand& hand = found.objects[0];
  const nlohmann::json& expected = golden()["hands"][0];
  ASSERT_TRUE(hand.has_landmarks);
  expect_points(hand.landmarks, expected["landmarks"], 1, 0.05F);
  expect_points(hand.world_landmarks, expected["world_landmarks"], 1000, 0.1F);
  EXPECT_EQ(hand.is_right(), expected["handedness"] == "Right");
  EXPECT_NEAR(hand.is_right() ? 1 - hand.left_hand : hand.left_hand, expected["handedness_score"].get<float>(), 2e-3);
  expect_region(next_hand_region(hand), expected["next_region"], 0.1);
  EXPECT_EQ(found.landmark_runs, 2);
}

TEST(MediapipeHand, follows_both_hands_and_asks_the_detector_only_for_what_is_missing) {
  const media::Image image = test_image();
  for (const int most : {2, 3}) {
    Config config;
    config.max_hands = most;
    config.smooth = true;
    auto pipeline =
        value_of(MediapipeHand::load(environment(), {kFolder / "palm.onnx", kFolder / "landmark.onnx"}, {}, config));
    Detections found;
    ASSERT_TRUE(pipeline->track(image.view(), 0, found));
    EXPECT_TRUE(found.detector_ran);
    ASSERT_EQ(found.objects.size(), 2U);
    EXPECT_EQ(found.objects[0].track_id, 0);
    EXPECT_EQ(found.objects[1].track_id, 1);
    ASSERT_TRUE(pipeline->track(image.view(), 0.04, found));
    EXPECT_EQ(found.detector_ran, most == 3);
    ASSERT_GE(found.objects.size(), 2U);
    EXPECT_EQ(found.objects[0].track_id, 0);
    EXPECT_FALSE(found.objects[0].has_keypoints);
    pipeline->reset();
    ASSERT_TRUE(pipeline->track(image.view(), 0, found));
    EXPECT_TRUE(found.detector_ran);
  }
}

struct Kind {
  using Pipeline = MediapipeHand;
  using Object = Hand;
  static constexpr const char* kFolder = "tests/golden/mediapipe_hand";
  static constexpr const char* kDetector = "palm.onnx";
  static constexpr const char* kRefusal = "palm";
  static constexpr int kWidth = 640, kHeight = 480;
  static constexpr std::size_t kObjects = 2;
  static Config config() { return {}; }
  static void draw(media::Image& image, const std::vector<Hand>& found) { draw_hands(image, found); }
};
INSTANTIATE_TYPED_TEST_SUITE_P(MediapipeHand, EveryPipeline, Kind);

TEST(MediapipeHand, takes_several_images_at_once) {
  const auto pipeline =
      MediapipeHand::load(environment(), {kFolder / "palm.onnx", kFolder / "landmark.onnx"}, one_thread(), {}).value();
  const media::Image large = test_image(), small = mediapipe::testing::test_image(320, 240);
  const std::vector<media::ImageView> images = {large.view(), small.view(), large.view()};
  std::vector<Detections> found(3);
  ASSERT_TRUE(pipeline->run(images, found));
  for (std::size_t i = 0; i < images.size(); ++i) {
    Detections alone;
    ASSERT_TRUE(pipeline->run(images[i], alone));
    ASSERT_EQ(found[i].objects.size(), 2U);
    EXPECT_EQ(found[i].landmark_runs, 2);
    EXPECT_GT(found[i].times.inference_us, found[i].detector_times.inference_us);
    for (std::size_t k = 0; k < 2; ++k) {
      EXPECT_EQ(found[i].objects[k].box, alone.objects[k].box) << i;
      EXPECT_EQ(found[i].objects[k].landmarks[8].x, alone.objects[k].landmarks[8].x) << i;
    }
  }
  EXPECT_FALSE(pipeline->run(images, std::span(found).first(2)));
  Config config;
  config.batch = 2;
  const auto fixed = MediapipeHand::load(environment(), {kFolder / "palm.onnx", {}}, {}, config);
  ASSERT_FALSE(fixed);
  EXPECT_NE(fixed.error().message.find("--batch 2"), std::string::npos) << fixed.error().message;
}

TEST(MediapipeHand, gives_one_hand_when_one_is_asked_for) {
  Config config;
  config.max_hands = 1;
  auto pipeline = MediapipeHand::load(environment(), {kFolder / "palm.onnx", kFolder / "landmark.onnx"}, {}, config);
  ASSERT_TRUE(pipeline);
  Detections found;
  ASSERT_TRUE((*pipeline)->run(test_image().view(), found));
  ASSERT_EQ(found.objects.size(), 1U);
  EXPECT_NEAR(found.objects[0].score, golden()["palms"][0]["score"].get<double>(), 1e-3);
}

TEST(MediapipeHand, refuses_to_find_no_hand) {
  Config none;
  none.max_hands = 0;
  EXPECT_FALSE(MediapipeHand::load(environment(), {kFolder / "palm.onnx", {}}, {}, none));
}

}  // namespace
}  // namespace slipway::pipelines::mediapipe_hand
