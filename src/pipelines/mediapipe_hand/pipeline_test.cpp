#include "media/labels.hpp"
#include "pipelines/mediapipe_common/testing/golden.hpp"
#include "pipelines/mediapipe_hand/hand.hpp"

namespace slipway::pipelines::mediapipe_hand {
namespace {

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
  auto pipeline = MediapipeHand::load(environment(), {kFolder / "palm.onnx", {}}, {}, config);
  ASSERT_TRUE(pipeline) << pipeline.error().message;
  Detections found;
  for (int again = 0; again < 2; ++again) ASSERT_TRUE((*pipeline)->run(test_image().view(), found));
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
  auto pipeline = MediapipeHand::load(environment(), {kFolder / "palm.onnx", kFolder / "landmark.onnx"}, {}, {});
  ASSERT_TRUE(pipeline) << pipeline.error().message;
  Detections found;
  ASSERT_TRUE((*pipeline)->run(test_image().view(), found));
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
    auto pipeline = MediapipeHand::load(environment(), {kFolder / "palm.onnx", kFolder / "landmark.onnx"}, {}, config);
    ASSERT_TRUE(pipeline) << pipeline.error().message;
    Detections found;
    ASSERT_TRUE((*pipeline)->track(image.view(), 0, found));
    EXPECT_TRUE(found.detector_ran);
    ASSERT_EQ(found.objects.size(), 2U);
    EXPECT_EQ(found.objects[0].track_id, 0);
    EXPECT_EQ(found.objects[1].track_id, 1);
    ASSERT_TRUE((*pipeline)->track(image.view(), 0.04, found));
    EXPECT_EQ(found.detector_ran, most == 3);
    ASSERT_GE(found.objects.size(), 2U);
    EXPECT_EQ(found.objects[0].track_id, 0);
    EXPECT_FALSE(found.objects[0].has_keypoints);
    (*pipeline)->reset();
    ASSERT_TRUE((*pipeline)->track(image.view(), 0, found));
    EXPECT_TRUE(found.detector_ran);
  }
}

std::unique_ptr<MediapipeHand> whole_pipeline() {
  auto pipeline =
      MediapipeHand::load(environment(), {kFolder / "palm.onnx", kFolder / "landmark.onnx"}, one_thread(), {});
  SLIPWAY_CHECK(pipeline.has_value(), "the networks load");
  return std::move(*pipeline);
}

TEST(MediapipeHand, takes_several_images_at_once) {
  const auto pipeline = whole_pipeline();
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

TEST(MediapipeHand, keeps_its_memory_over_ten_thousand_frames) {
  expect_steady_memory(*whole_pipeline(), test_image());
}

TEST(MediapipeHand, takes_no_memory_a_frame_before_and_after_the_networks) {
  expect_no_allocations(*whole_pipeline(), test_image());
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

TEST(MediapipeHand, refuses_what_does_not_fit) {
  const auto other = MediapipeHand::load(environment(), {kFolder / "landmark.onnx", {}}, {}, {});
  ASSERT_FALSE(other);
  EXPECT_NE(other.error().message.find("palm"), std::string::npos) << other.error().message;
  EXPECT_FALSE(MediapipeHand::load(environment(), {kFolder / "palm.onnx", kFolder / "palm.onnx"}, {}, {}));
  Config none;
  none.max_hands = 0;
  EXPECT_FALSE(MediapipeHand::load(environment(), {kFolder / "palm.onnx", {}}, {}, none));
  auto pipeline = MediapipeHand::load(environment(), {kFolder / "palm.onnx", {}}, {}, {});
  ASSERT_TRUE(pipeline);
  Detections found;
  EXPECT_FALSE((*pipeline)->run({}, found));
}

TEST(DrawHands, marks_the_hand_and_survives_points_outside) {
  media::Image image = test_image();
  std::vector<Hand> hands(2);
  hands[0].box = {20, 30, 60, 70};
  hands[1].box = {-1e9, -50, 1e9, -20};
  hands[1].has_landmarks = hands[1].has_keypoints = true;
  hands[1].landmarks[10] = {1e9F, -1e9F, 0};
  draw_hands(image, hands);
  EXPECT_EQ(image.row(50)[3 * 20 + 1], media::colour_of_class(0)[1]);
}

}  // namespace
}  // namespace slipway::pipelines::mediapipe_hand
