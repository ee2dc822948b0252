#include "base/testing/value_of.hpp"
#include "pipelines/mediapipe_common/testing/pipeline_suite.hpp"
#include "pipelines/mediapipe_face/face.hpp"

namespace slipway::pipelines::mediapipe_face {
namespace {

using base::testing::value_of;
using namespace mediapipe::testing;  // NOLINT(google-build-using-namespace): one test

const std::filesystem::path kFolder = "tests/golden/mediapipe_face";

nlohmann::json golden(const char* name) {
  return read_json(kFolder / name);
}

mediapipe::Quantizations scales() {
  mediapipe::Quantizations all;
  const nlohmann::json reference = golden("reference.json");
  for (const auto& [name, pair] : reference["quantization"].items()) all[name] = {pair[0], pair[1]};
  return all;
}

double mean_distance(const Face& face, const nlohmann::json& expected) {
  double sum = 0;
  for (std::size_t i = 0; i < kLandmarkCount; ++i) {
    sum += std::hypot(static_cast<double>(face.landmarks[i].x) - expected[i][0].get<double>(),
                      static_cast<double>(face.landmarks[i].y) - expected[i][1].get<double>());
  }
  return sum / kLandmarkCount;
}

TEST(MediapipeFace, finds_the_face_that_mediapipe_finds) {
  const auto expected = golden("mediapipe.json");
  const media::Image image = test_image(512, 512);
  for (const std::string name : {"short_range", "full_range", "quantised"}) {
    Config config;
    if (name == "quantised") config.detector_quantization = scales();
    auto pipeline = value_of(MediapipeFace::load(environment(), {kFolder / (name + ".onnx"), {}}, {}, config));
    Detections found;
    for (int again = 0; again < 2; ++again) ASSERT_TRUE(pipeline->run(image.view(), found));
    const auto& faces = expected["detectors"][name == "quantised" ? "short_range" : name];
    ASSERT_EQ(found.objects.size(), faces.size()) << name;
    expect_detection(found.objects[0], faces[0], name == "quantised" ? 0.1 : 0.02);
    EXPECT_FALSE(found.objects[0].has_landmarks);
    EXPECT_TRUE(found.detector_ran);
    EXPECT_GT(found.times.inference_us, 0);
  }
}

TEST(MediapipeFace, places_the_landmarks_where_mediapipe_places_them) {
  const auto expected = golden("mediapipe.json")["mesh"];
  ASSERT_EQ(expected.size(), 1U);
  const media::Image image = test_image(512, 512);
  for (const char* name : {"landmark.onnx", "landmark_hub.onnx"}) {
    auto pipeline =
        value_of(MediapipeFace::load(environment(), {kFolder / "short_range.onnx", kFolder / name}, {}, {}));
    Detections found;
    ASSERT_TRUE(pipeline->run(image.view(), found));
    ASSERT_EQ(found.objects.size(), 1U);
    ASSERT_TRUE(found.objects[0].has_landmarks) << name;
    EXPECT_GT(found.objects[0].presence, 0.99F);
    EXPECT_LT(mean_distance(found.objects[0], expected[0]), 0.02) << name;
    EXPECT_EQ(found.landmark_runs, 1);
  }
}

Config smooth_config() {
  Config config;
  config.smooth = true;
  return config;
}

struct Kind {
  using Pipeline = MediapipeFace;
  using Object = Face;
  static constexpr const char* kFolder = "tests/golden/mediapipe_face";
  static constexpr const char* kDetector = "short_range.onnx";
  static constexpr const char* kRefusal = "expected";
  static constexpr int kWidth = 512, kHeight = 512;
  static constexpr std::size_t kObjects = 1;
  static Config config() { return smooth_config(); }
  static void draw(media::Image& image, const std::vector<Face>& found) { draw_faces(image, found); }
};
INSTANTIATE_TYPED_TEST_SUITE_P(MediapipeFace, EveryPipeline, Kind);

TEST(MediapipeFace, with_the_packages_rules_cuts_to_whole_pixels_and_leaves_out_the_edge) {
  const auto expected = golden("mediapipe.json")["detectors"]["short_range"][0];
  Config config;
  config.rules = Rules::kQaiHub;
  auto pipeline = value_of(
      MediapipeFace::load(environment(), {kFolder / "short_range.onnx", kFolder / "landmark.onnx"}, {}, config));
  Detections found;
  ASSERT_TRUE(pipeline->run(test_image(512, 512).view(), found));
  ASSERT_EQ(found.objects.size(), 1U);
  const Face& face = found.objects[0];
  EXPECT_EQ(face.box.x1, std::trunc(face.box.x1));
  EXPECT_NEAR(face.box.x1, expected["box"][0].get<double>(), 12);  // one anchor's box, not the mean of several
  EXPECT_NEAR(face.region.width, 1.1 * (face.box.x2 - face.box.x1), 1e-9);
  // In a flat image the same answer lies partly in the padding.
  ASSERT_TRUE(pipeline->run(test_image(512, 128).view(), found));
  EXPECT_TRUE(found.objects.empty());
}

TEST(MediapipeFace, refuses_integers_without_a_scale_and_to_find_no_face) {
  EXPECT_FALSE(MediapipeFace::load(environment(), {kFolder / "short_range.onnx", kFolder / "full_range.onnx"}, {}, {}));
  EXPECT_FALSE(MediapipeFace::load(environment(), {kFolder / "quantised.onnx", {}}, {}, {}));
  Config none;
  none.max_faces = 0;
  EXPECT_FALSE(MediapipeFace::load(environment(), {kFolder / "short_range.onnx", {}}, {}, none));
}

}  // namespace
}  // namespace slipway::pipelines::mediapipe_face
