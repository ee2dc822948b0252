#include "media/labels.hpp"
#include "pipelines/mediapipe_common/testing/golden.hpp"
#include "pipelines/mediapipe_face/face.hpp"

namespace slipway::pipelines::mediapipe_face {
namespace {

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
    auto pipeline = MediapipeFace::load(environment(), {kFolder / (name + ".onnx"), {}}, {}, config);
    ASSERT_TRUE(pipeline) << pipeline.error().message;
    Detections found;
    for (int again = 0; again < 2; ++again) ASSERT_TRUE((*pipeline)->run(image.view(), found));
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
    auto pipeline = MediapipeFace::load(environment(), {kFolder / "short_range.onnx", kFolder / name}, {}, {});
    ASSERT_TRUE(pipeline) << pipeline.error().message;
    Detections found;
    ASSERT_TRUE((*pipeline)->run(image.view(), found));
    ASSERT_EQ(found.objects.size(), 1U);
    ASSERT_TRUE(found.objects[0].has_landmarks) << name;
    EXPECT_GT(found.objects[0].presence, 0.99F);
    EXPECT_LT(mean_distance(found.objects[0], expected[0]), 0.02) << name;
    EXPECT_EQ(found.landmark_runs, 1);
  }
}

TEST(MediapipeFace, runs_the_detector_once_in_a_sequence) {
  const media::Image image = test_image(512, 512);
  auto pipeline = MediapipeFace::load(environment(), {kFolder / "short_range.onnx", kFolder / "landmark.onnx"}, {}, {});
  ASSERT_TRUE(pipeline) << pipeline.error().message;
  Detections found;
  int detector_runs = 0;
  for (int frame = 0; frame < 5; ++frame) {
    ASSERT_TRUE((*pipeline)->track(image.view(), frame * 0.04, found));
    detector_runs += found.detector_ran ? 1 : 0;
    ASSERT_EQ(found.objects.size(), 1U);
    EXPECT_EQ(found.objects[0].track_id, 0);
    EXPECT_EQ(found.objects[0].has_keypoints, frame == 0);
  }
  EXPECT_EQ(detector_runs, 1);
  (*pipeline)->reset();
  ASSERT_TRUE((*pipeline)->track(image.view(), 0, found));
  EXPECT_TRUE(found.detector_ran);
}

std::unique_ptr<MediapipeFace> whole_pipeline() {
  Config config;
  config.smooth = true;
  auto pipeline = MediapipeFace::load(environment(), {kFolder / "short_range.onnx", kFolder / "landmark.onnx"},
                                      one_thread(), config);
  SLIPWAY_CHECK(pipeline.has_value(), "the networks load");
  return std::move(*pipeline);
}

TEST(MediapipeFace, keeps_its_memory_over_ten_thousand_frames) {
  expect_steady_memory(*whole_pipeline(), test_image(512, 512));
}

TEST(MediapipeFace, takes_no_memory_a_frame_before_and_after_the_networks) {
  expect_no_allocations(*whole_pipeline(), test_image(512, 512));
}

TEST(MediapipeFace, with_the_packages_rules_cuts_to_whole_pixels_and_leaves_out_the_edge) {
  const auto expected = golden("mediapipe.json")["detectors"]["short_range"][0];
  Config config;
  config.rules = Rules::kQaiHub;
  auto pipeline =
      MediapipeFace::load(environment(), {kFolder / "short_range.onnx", kFolder / "landmark.onnx"}, {}, config);
  ASSERT_TRUE(pipeline) << pipeline.error().message;
  Detections found;
  ASSERT_TRUE((*pipeline)->run(test_image(512, 512).view(), found));
  ASSERT_EQ(found.objects.size(), 1U);
  const Face& face = found.objects[0];
  EXPECT_EQ(face.box.x1, std::trunc(face.box.x1));
  EXPECT_NEAR(face.box.x1, expected["box"][0].get<double>(), 12);  // one anchor's box, not the mean of several
  EXPECT_NEAR(face.region.width, 1.1 * (face.box.x2 - face.box.x1), 1e-9);
  // In a flat image the same answer lies partly in the padding.
  ASSERT_TRUE((*pipeline)->run(test_image(512, 128).view(), found));
  EXPECT_TRUE(found.objects.empty());
}

TEST(MediapipeFace, refuses_what_does_not_fit) {
  const auto other = MediapipeFace::load(environment(), {kFolder / "landmark.onnx", {}}, {}, {});
  ASSERT_FALSE(other);
  EXPECT_NE(other.error().message.find("landmark.onnx"), std::string::npos) << other.error().message;
  EXPECT_NE(other.error().message.find("expected"), std::string::npos) << other.error().message;
  EXPECT_FALSE(MediapipeFace::load(environment(), {kFolder / "short_range.onnx", kFolder / "full_range.onnx"}, {}, {}));
  EXPECT_FALSE(MediapipeFace::load(environment(), {kFolder / "quantised.onnx", {}}, {}, {}));
  Config none;
  none.max_faces = 0;
  EXPECT_FALSE(MediapipeFace::load(environment(), {kFolder / "short_range.onnx", {}}, {}, none));
  auto pipeline = MediapipeFace::load(environment(), {kFolder / "short_range.onnx", {}}, {}, {});
  ASSERT_TRUE(pipeline);
  Detections found;
  EXPECT_FALSE((*pipeline)->run({}, found));
}

TEST(DrawFaces, marks_the_face_and_survives_points_outside) {
  media::Image image = test_image(100, 80);
  std::vector<Face> faces(2);
  faces[0].box = {20, 30, 60, 70};
  faces[1].box = {-1e9, -50, 1e9, -20};
  faces[1].has_landmarks = faces[1].has_keypoints = true;
  faces[1].landmarks[10] = {1e9F, -1e9F, 0};
  draw_faces(image, faces);
  EXPECT_EQ(image.row(50)[3 * 20 + 1], media::colour_of_class(0)[1]);
}

}  // namespace
}  // namespace slipway::pipelines::mediapipe_face
