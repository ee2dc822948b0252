#include "pipelines/mediapipe_hand/pipeline.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/files.hpp"
#include "pipelines/mediapipe_hand/draw.hpp"
#include "pipelines/mediapipe_hand/landmarker.hpp"

namespace slipway::pipelines::mediapipe_hand {
namespace {

const std::filesystem::path kFolder = "tests/golden/mediapipe_hand";

std::shared_ptr<runtime::Environment> environment() {
  static const std::shared_ptr<runtime::Environment> kOpened = [] {
    const auto paths = runtime::locate_libraries();
    SLIPWAY_CHECK(paths.has_value(), "ONNX Runtime was set up");
    return std::move(runtime::Environment::open(*paths)).value();
  }();
  return kOpened;
}

const nlohmann::json& golden() {
  static const nlohmann::json kGolden = nlohmann::json::parse(*base::read_file(kFolder / "mediapipe.json", 1 << 20));
  return kGolden;
}

media::Image picture() {
  return std::move(media::Image::create(640, 480)).value();
}

void expect_region(const mediapipe::Region& region, const nlohmann::json& expected, double pixels) {
  EXPECT_NEAR(region.centre.x, expected["centre"][0].get<double>(), pixels);
  EXPECT_NEAR(region.centre.y, expected["centre"][1].get<double>(), pixels);
  EXPECT_NEAR(region.width, expected["side"].get<double>(), pixels);
  EXPECT_NEAR(region.height, expected["side"].get<double>(), pixels);
  EXPECT_NEAR(region.angle, expected["angle"].get<double>(), 1e-3);
}

void expect_points(std::span<const Landmark> found, const nlohmann::json& expected, float factor, float tolerance) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_NEAR(found[i].x * factor, expected[i][0].get<float>(), tolerance) << i;
    EXPECT_NEAR(found[i].y * factor, expected[i][1].get<float>(), tolerance) << i;
    EXPECT_NEAR(found[i].z * factor, expected[i][2].get<float>(), tolerance) << i;
  }
}

// The networks here always say what MediaPipe's say of one frame; MediaPipe's own results stand beside them.
TEST(MediapipeHand, FindsThePalmsThatMediaPipeFinds) {
  Config config;
  config.find_landmarks = false;
  auto pipeline = MediapipeHand::load(environment(), {kFolder / "palm.onnx", {}}, {}, config);
  ASSERT_TRUE(pipeline) << pipeline.error().message;
  Detections found;
  for (int again = 0; again < 2; ++again) ASSERT_TRUE((*pipeline)->run(picture().view(), found));
  const nlohmann::json& palms = golden()["palms"];
  ASSERT_EQ(found.hands.size(), palms.size());
  for (std::size_t i = 0; i < palms.size(); ++i) {
    const Hand& hand = found.hands[i];
    const std::array<double, 4> box = {hand.box.x1, hand.box.y1, hand.box.x2, hand.box.y2};
    for (std::size_t k = 0; k < 4; ++k) EXPECT_NEAR(box[k], palms[i]["box"][k].get<double>(), 0.02);
    EXPECT_NEAR(hand.score, palms[i]["score"].get<double>(), 1e-3);
    for (std::size_t k = 0; k < kKeypointCount; ++k) {
      EXPECT_NEAR(hand.keypoints[k].x, palms[i]["keypoints"][k][0].get<double>(), 0.02);
      EXPECT_NEAR(hand.keypoints[k].y, palms[i]["keypoints"][k][1].get<double>(), 0.02);
    }
    expect_region(hand.region, palms[i]["region"], 0.05);
    EXPECT_FALSE(hand.has_landmarks);
  }
}

TEST(MediapipeHand, PlacesTheLandmarksWhereMediaPipePlacesThem) {
  auto pipeline = MediapipeHand::load(environment(), {kFolder / "palm.onnx", kFolder / "landmark.onnx"}, {}, {});
  ASSERT_TRUE(pipeline) << pipeline.error().message;
  Detections found;
  ASSERT_TRUE((*pipeline)->run(picture().view(), found));
  ASSERT_EQ(found.hands.size(), 2U);
  const Hand& hand = found.hands[0];
  const nlohmann::json& expected = golden()["hands"][0];
  ASSERT_TRUE(hand.has_landmarks);
  expect_points(hand.landmarks, expected["landmarks"], 1, 0.05F);
  expect_points(hand.world_landmarks, expected["world_landmarks"], 1000, 0.1F);
  EXPECT_EQ(hand.is_right(), expected["handedness"] == "Right");
  EXPECT_NEAR(hand.is_right() ? 1 - hand.left_hand : hand.left_hand, expected["handedness_score"].get<float>(), 2e-3);
  expect_region(region_of(hand.landmarks), expected["next_region"], 0.1);
  EXPECT_EQ(found.landmark_runs, 2);
}

TEST(MediapipeHand, FollowsBothHandsAndAsksTheDetectorOnlyForWhatIsMissing) {
  const media::Image image = picture();
  for (const int most : {2, 3}) {
    Config config;
    config.max_hands = most;
    config.smooth = true;
    auto pipeline = MediapipeHand::load(environment(), {kFolder / "palm.onnx", kFolder / "landmark.onnx"}, {}, config);
    ASSERT_TRUE(pipeline) << pipeline.error().message;
    Detections found;
    ASSERT_TRUE((*pipeline)->track(image.view(), 0, found));
    EXPECT_TRUE(found.detector_ran);
    ASSERT_EQ(found.hands.size(), 2U);
    EXPECT_EQ(found.hands[0].track_id, 0);
    EXPECT_EQ(found.hands[1].track_id, 1);
    ASSERT_TRUE((*pipeline)->track(image.view(), 0.04, found));
    EXPECT_EQ(found.detector_ran, most == 3);
    ASSERT_GE(found.hands.size(), 2U);
    EXPECT_EQ(found.hands[0].track_id, 0);
    EXPECT_FALSE(found.hands[0].has_keypoints);
    (*pipeline)->reset();
    ASSERT_TRUE((*pipeline)->track(image.view(), 0, found));
    EXPECT_TRUE(found.detector_ran);
  }
}

TEST(MediapipeHand, GivesOneHandWhenOneIsAskedFor) {
  Config config;
  config.max_hands = 1;
  auto pipeline = MediapipeHand::load(environment(), {kFolder / "palm.onnx", kFolder / "landmark.onnx"}, {}, config);
  ASSERT_TRUE(pipeline);
  Detections found;
  ASSERT_TRUE((*pipeline)->run(picture().view(), found));
  ASSERT_EQ(found.hands.size(), 1U);
  EXPECT_NEAR(found.hands[0].score, golden()["palms"][0]["score"].get<double>(), 1e-3);
}

TEST(MediapipeHand, RefusesWhatDoesNotFit) {
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

TEST(DrawHands, MarksTheHandAndSurvivesPointsOutside) {
  media::Image image = picture();
  std::vector<Hand> hands(2);
  hands[0].box = {20, 30, 60, 70};
  hands[1].box = {-1e9, -50, 1e9, -20};
  hands[1].has_landmarks = hands[1].has_keypoints = true;
  hands[1].landmarks[10] = {1e9F, -1e9F, 0};
  draw_hands(image, hands);
  EXPECT_EQ(image.row(50)[3 * 20 + 1], media::kGreen[1]);
}

}  // namespace
}  // namespace slipway::pipelines::mediapipe_hand
