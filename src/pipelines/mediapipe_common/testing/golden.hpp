#pragma once

#include <fstream>
#include <memory>
#include <span>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/files.hpp"
#include "base/testing/allocations.hpp"
#include "media/image.hpp"
#include "pipelines/common/testing/golden.hpp"
#include "pipelines/mediapipe_common/landmark.hpp"
#include "pipelines/mediapipe_common/pipeline.hpp"
#include "pipelines/mediapipe_common/region.hpp"

// What the tests of the pipelines share. Their networks always say what MediaPipe's say of one image; MediaPipe's own
// results stand beside them.
namespace slipway::pipelines::mediapipe::testing {

using pipelines::testing::environment;

inline nlohmann::json read_json(const std::filesystem::path& file) {
  return nlohmann::json::parse(*base::read_file(file, 1 << 20));
}

inline media::Image test_image(int width, int height) {
  return std::move(media::Image::create(width, height)).value();
}

inline void expect_region(const Region& region, const nlohmann::json& expected, double pixels) {
  EXPECT_NEAR(region.centre.x, expected["centre"][0].get<double>(), pixels);
  EXPECT_NEAR(region.centre.y, expected["centre"][1].get<double>(), pixels);
  EXPECT_NEAR(region.width, expected["side"].get<double>(), pixels);
  EXPECT_NEAR(region.height, expected["side"].get<double>(), pixels);
  EXPECT_NEAR(region.angle, expected["angle"].get<double>(), 1e-3);
}

/// Box, score and key points of a detection.
template <typename Object>
void expect_detection(const Object& found, const nlohmann::json& expected, double pixels) {
  const std::array<double, 4> box = {found.box.x1, found.box.y1, found.box.x2, found.box.y2};
  for (std::size_t k = 0; k < 4; ++k) EXPECT_NEAR(box[k], expected["box"][k].get<double>(), pixels) << k;
  EXPECT_NEAR(found.score, expected["score"].get<double>(), 1e-3);
  for (std::size_t k = 0; k < found.keypoints.size(); ++k) {
    EXPECT_NEAR(found.keypoints[k].x, expected["keypoints"][k][0].get<double>(), pixels) << k;
    EXPECT_NEAR(found.keypoints[k].y, expected["keypoints"][k][1].get<double>(), pixels) << k;
  }
}

inline void expect_points(std::span<const Landmark> found, const nlohmann::json& expected, float factor,
                          float tolerance) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_NEAR(found[i].x * factor, expected[i][0].get<float>(), tolerance) << i;
    EXPECT_NEAR(found[i].y * factor, expected[i][1].get<float>(), tolerance) << i;
    EXPECT_NEAR(found[i].z * factor, expected[i][2].get<float>(), tolerance) << i;
  }
}

/// For thousands of runs of networks too small to share out.
inline runtime::SessionOptions one_thread() {
  runtime::SessionOptions options;
  options.intra_op_threads = 1;
  return options;
}

/// Pages of memory that this process holds.
inline long resident_pages() {
  long all = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> all >> resident;
  return resident;
}

/// Follows what is always found in the same image, with a fresh start now and then.
template <typename Object>
void expect_steady_memory(Pipeline<Object>& pipeline, const media::Image& image) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers keep what was freed";
#endif
  Detections<Object> found;
  long early = 0;
  constexpr int kFrames = 10'000, kEarly = 500, kDetectEvery = 100;
  for (int frame = 0; frame < kFrames; ++frame) {
    if (frame % kDetectEvery == 0) pipeline.reset();
    ASSERT_TRUE(pipeline.track(image.view(), frame * 0.04, found));
    ASSERT_GE(found.landmark_runs, 1);
    if (frame == kEarly) early = resident_pages();
  }
  EXPECT_LT(resident_pages() - early, 256) << "pages of 4 KB";  // 1 MB: what the allocator may keep
}

/// Stills and followed frames: what is linked into this program takes memory for the first ones alone.
template <typename Object>
void expect_no_allocations(Pipeline<Object>& pipeline, const media::Image& image) {
  for (const bool is_sequence : {false, true}) {
    Detections<Object> found;
    for (int frame = 0; frame < 6; ++frame) {
      base::testing::watch_program(true);
      ASSERT_TRUE(is_sequence ? pipeline.track(image.view(), frame * 0.04, found) : pipeline.run(image.view(), found));
      base::testing::watch_program(false);
      ASSERT_GE(found.landmark_runs, 1);
      if (frame == 0) {
        EXPECT_GT(base::testing::program_allocations(), 0U) << "the count works";
      } else if (frame >= 3) {
        EXPECT_EQ(base::testing::program_allocations(), 0U)
            << "frame " << frame << " of " << (is_sequence ? "a sequence" : "stills");
      }
    }
  }
}

}  // namespace slipway::pipelines::mediapipe::testing
