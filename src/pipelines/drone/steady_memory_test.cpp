#include <fstream>

#include <unistd.h>

#include <gtest/gtest.h>

#include "base/testing/allocations.hpp"
#include "pipelines/drone/pipeline.hpp"
#include "runtime/testing/environment.hpp"

namespace slipway::pipelines::drone {
namespace {

/// Coloured blocks that wander to the left, so that objects come and go.
media::Image frame_of(int number) {
  auto image = media::Image::create(192, 128).value();
  for (int y = 0; y < 128; ++y) {
    for (int x = 0; x < 192; ++x) {
      const int block = (x + number) / 24 + 3 * (y / 32);
      std::uint8_t* pixel = image.row(y) + std::ptrdiff_t{3} * x;
      for (int c = 0; c < 3; ++c) pixel[c] = block % 3 == c ? 240 : 10;
    }
  }
  return image;
}

std::unique_ptr<Drone> load(double budget_ms) {
  Config config;
  config.detector_model = "tests/golden/yolov8/tiny.onnx";
  config.segmenter_model = "tests/golden/segmentation/tiny.onnx";
  config.detector_run.primary.intra_op_threads = config.segmenter_run.primary.intra_op_threads = 1;
  config.budget_ms = budget_ms;
  auto pipeline = Drone::load(runtime::testing::environment(), config);
  SLIPWAY_CHECK(pipeline.has_value(), "the tiny networks load");
  return std::move(*pipeline);
}

std::int64_t resident_kib() {
  std::ifstream file("/proc/self/statm");
  std::int64_t all = 0, resident = 0;
  file >> all >> resident;
  return resident * sysconf(_SC_PAGESIZE) / 1024;
}

TEST(SteadyMemory, a_frame_allocates_nothing_after_warm_up) {
  std::vector<media::Image> frames;
  for (int i = 0; i < 48; ++i) frames.push_back(frame_of(i));
  for (const double budget_ms : {0.0, 1000.0}) {
    const auto pipeline = load(budget_ms);
    Scene scene;
    base::testing::watch_program(true);
    ASSERT_TRUE(pipeline->run(frames[0].view(), true, scene));
    EXPECT_GT(base::testing::program_allocations(), 0U) << "the first frame makes the buffers: the count works";
    for (int again = 0; again < 4; ++again) {  // every frame, with each of the map's two memories
      for (const media::Image& frame : frames) ASSERT_TRUE(pipeline->run(frame.view(), true, scene));
    }
    ASSERT_FALSE(scene.objects.empty());
    base::testing::watch_program(true);
    for (const media::Image& frame : frames) ASSERT_TRUE(pipeline->run(frame.view(), true, scene));
    base::testing::watch_program(false);
    EXPECT_EQ(base::testing::program_allocations(), 0U) << "budget " << budget_ms;
  }
}

TEST(SteadyMemory, memory_stays_the_same_over_ten_thousand_frames) {
  std::vector<media::Image> frames;
  for (int i = 0; i < 48; ++i) frames.push_back(frame_of(i));
  const auto pipeline = load(0);
  Scene scene;
  std::int64_t early_kib = 0;
  for (std::size_t i = 0; i < 10'000; ++i) {
    ASSERT_TRUE(pipeline->run(frames[i % frames.size()].view(), true, scene));
    if (i == 500) early_kib = resident_kib();
  }
  EXPECT_LT(resident_kib() - early_kib, 1024);
}

}  // namespace
}  // namespace slipway::pipelines::drone
