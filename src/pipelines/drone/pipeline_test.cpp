#include "pipelines/drone/pipeline.hpp"

#include <thread>

#include <gtest/gtest.h>

#include "base/testing/value_of.hpp"
#include "pipelines/common/testing/golden.hpp"
#include "pipelines/common/testing/misbehaving.hpp"
#include "pipelines/drone/overlay.hpp"
#include "pipelines/segmentation/labels.hpp"

namespace slipway::pipelines::drone {
namespace {

using base::testing::value_of;
using namespace pipelines::testing;  // NOLINT(google-build-using-namespace): one test
constexpr int kWarmupRuns = 3;       // count as runs of the operator

/// A red thing on a dark road below a blue sky.
media::Image test_image() {
  auto image = media::Image::create(192, 128).value();
  for (int y = 0; y < 128; ++y) {
    for (int x = 0; x < 192; ++x) {
      const bool is_thing = x >= 40 && x < 80 && y >= 60 && y < 100;
      std::uint8_t* pixel = image.row(y) + std::ptrdiff_t{3} * x;
      pixel[0] = is_thing ? 255 : 10;
      pixel[1] = 10;
      pixel[2] = y < 50 ? 250 : 10;
    }
  }
  return image;
}

Config plain() {
  Config config;
  config.detector_model = "tests/golden/yolov8/tiny.onnx";
  config.segmenter_model = "tests/golden/segmentation/tiny.onnx";
  return config;
}

/// Both networks behind an operator that misbehaves as told.
Config troubled(const Entries& detector, const Entries& segmenter) {
  Config config;
  config.detector_model = "tests/golden/yolov8/tiny_misbehave.onnx";
  config.segmenter_model = "tests/golden/segmentation/tiny_misbehave.onnx";
  config.detector_run = misbehaving(detector);
  config.segmenter_run = misbehaving(segmenter);
  // A pause of the whole machine is no stall of the network that is meant to stay.
  if (detector.empty()) config.detector_run.standby.reset();
  if (segmenter.empty()) config.segmenter_run.standby.reset();
  return config;
}

TEST(Drone, fuses_objects_with_the_surfaces_around_them) {
  auto pipeline = value_of(Drone::load(environment(), plain()));
  const media::Image image = test_image();
  Scene scene;
  ASSERT_TRUE(pipeline->run(image.view(), false, scene));
  ASSERT_FALSE(scene.objects.empty());
  EXPECT_EQ(scene.map_age, 0);
  ASSERT_TRUE(scene.horizon);
  EXPECT_NEAR(*scene.horizon, 50, 15);
  ASSERT_EQ(scene.sectors.size(), 9U);
  EXPECT_EQ(scene.objects[0].track, 0);
  const auto& labels = pipeline->segmenter()->labels();
  media::Image drawn = image.clone();
  draw_scene(drawn, scene, {}, segmentation::colours_of(labels));
  EXPECT_NE(drawn.row(127)[3 * 5], image.row(127)[3 * 5]);  // the sectors' bar
}

TEST(Drone, works_with_a_detector_alone) {
  Config config = plain();
  config.segmenter_model.clear();
  auto pipeline = value_of(Drone::load(environment(), config));
  Scene scene;
  ASSERT_TRUE(pipeline->run(test_image().view(), true, scene));
  EXPECT_EQ(scene.map_age, -1);
  EXPECT_FALSE(scene.horizon);
  EXPECT_GT(scene.objects[0].track, 0);
  EXPECT_FALSE(pipeline->run({}, true, scene));
}

TEST(Drone, segments_every_frame_without_a_budget_and_none_of_another_stream) {
  auto pipeline = Drone::load(environment(), plain());
  ASSERT_TRUE(pipeline);
  Scene scene;
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE((*pipeline)->run(test_image().view(), true, scene));
    EXPECT_EQ(scene.map_age, 0);
  }
  (*pipeline)->reset();
  ASSERT_TRUE((*pipeline)->run(test_image().view(), true, scene));
  EXPECT_EQ(scene.map_age, 0);
}

// Frames of two sizes, the last batch incomplete: tracks begin anew where the size changes.
TEST(Drone, fuses_in_a_batch_what_it_fuses_one_by_one) {
  Config config = plain();
  auto single = value_of(Drone::load(environment(), config));
  config.detector_model = "tests/golden/yolov8/tiny_batch.onnx";
  config.segmenter_model = "tests/golden/segmentation/tiny_batch.onnx";
  config.batch = 3;
  auto batched = value_of(Drone::load(environment(), config));
  const media::Image image = test_image();
  std::vector<media::ImageView> views;
  for (int i = 0; i < 8; ++i) {
    views.push_back({image.row(i), i < 4 ? 192 : 160, 120, image.view().stride_bytes});
  }
  for (const bool is_stream : {true, false}) {
    std::vector<Scene> scenes(3);
    for (std::size_t first = 0; first < views.size(); first += 3) {
      const std::size_t count = std::min<std::size_t>(3, views.size() - first);
      const auto given = std::span(scenes).first(count);
      const auto done = batched->run(std::span(views).subspan(first, count), is_stream, given);
      ASSERT_TRUE(done) << done.error().message;
      for (std::size_t i = 0; i < count; ++i) {
        Scene alone;
        ASSERT_TRUE(single->run(views[first + i], is_stream, alone));
        EXPECT_EQ(scenes[i].map_age, 0);
        EXPECT_EQ(scenes[i].map.labels, alone.map.labels) << first + i;
        EXPECT_EQ(scenes[i].horizon, alone.horizon) << first + i;
        ASSERT_EQ(scenes[i].objects.size(), alone.objects.size()) << first + i;
        EXPECT_FALSE(alone.objects.empty());
        for (std::size_t n = 0; n < alone.objects.size(); ++n) {
          EXPECT_EQ(scenes[i].objects[n].track, alone.objects[n].track) << first + i;
          EXPECT_EQ(scenes[i].objects[n].score, alone.objects[n].score) << first + i;
          EXPECT_EQ(scenes[i].objects[n].box.x1, alone.objects[n].box.x1) << first + i;
          EXPECT_EQ(scenes[i].objects[n].free_space, alone.objects[n].free_space) << first + i;
        }
      }
    }
    single->reset();
    batched->reset();
  }
  std::vector<Scene> two(2);
  EXPECT_FALSE(batched->run(std::span(views).first(4), true, two));
}

TEST(Drone, refuses_a_batch_with_a_budget) {
  Config config = plain();
  config.batch = 4;
  config.budget_ms = 30;
  const auto pipeline = Drone::load(environment(), config);
  ASSERT_FALSE(pipeline);
  EXPECT_NE(pipeline.error().message.find("a batch of 4 with a budget of 30 ms"), std::string::npos)
      << pipeline.error().message;
}

TEST(Drone, does_not_wait_for_segmentation_beyond_its_budget) {
  // The segmenter sleeps in one run; nothing stands by for it, so it simply takes long.
  Config config = troubled({}, {{"slipway.test.stall_run", "2"}, {"slipway.test.stall_ms", "400"}});
  config.segmenter_run.standby.reset();
  config.budget_ms = 50;
  auto pipeline = value_of(Drone::load(environment(), config));
  Scene scene;
  int oldest = 0;
  Stopwatch watch;
  for (int i = 0; i < 60; ++i) {
    ASSERT_TRUE(pipeline->run(test_image().view(), true, scene));
    EXPECT_TRUE(scene.did_detect);
    oldest = std::max(oldest, scene.map_age);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_GT(oldest, 3);  // frames went on with an older map
}

struct Trouble {
  const char* name;
  Entries entries;
  Replacement::Cause cause;
  std::int64_t frame;
};

class DroneFallback : public ::testing::TestWithParam<Trouble> {};

TEST_P(DroneFallback, keeps_the_stream_and_reports_when_and_why) {
  const Trouble& trouble = GetParam();
  // The stream that nothing happens to says what is expected.
  auto healthy = Drone::load(environment(), plain());
  ASSERT_TRUE(healthy);
  for (const bool is_detector : {true, false}) {
    auto pipeline = value_of(
        Drone::load(environment(), is_detector ? troubled(trouble.entries, {}) : troubled({}, trouble.entries)));
    (*healthy)->reset();
    Scene scene, expected;
    for (int frame = 1; frame <= 10; ++frame) {
      const auto done = pipeline->run(test_image().view(), true, scene);
      ASSERT_TRUE(done) << done.error().message;
      ASSERT_TRUE((*healthy)->run(test_image().view(), true, expected));
      EXPECT_LT(scene.total_us, 1'000'000) << frame;  // a stall of 1.5 s is not waited for
      ASSERT_EQ(scene.objects.size(), expected.objects.size()) << frame;
      EXPECT_EQ(scene.map.labels, expected.map.labels) << frame;
    }
    ASSERT_EQ(pipeline->fallbacks().size(), 1U);
    const Fallback& fallback = pipeline->fallbacks()[0];
    EXPECT_EQ(fallback.network, is_detector ? "detector" : "segmenter");
    EXPECT_EQ(fallback.frame, trouble.frame);
    EXPECT_EQ(fallback.replacement.cause, trouble.cause);
    EXPECT_FALSE(fallback.replacement.reason.empty());
  }
}

INSTANTIATE_TEST_SUITE_P(
    Provider, DroneFallback,
    ::testing::Values(Trouble{"FailsToLoad", {{"slipway.test.fail_load", "1"}}, Replacement::Cause::kLoad, 0},
                      Trouble{"FailsAtAFrame",
                              {{"slipway.test.fail_run", std::to_string(kWarmupRuns + 4)}},
                              Replacement::Cause::kError,
                              4},
                      Trouble{"Stalls",
                              {{"slipway.test.stall_run", std::to_string(kWarmupRuns + 6)},
                               {"slipway.test.stall_ms", "1500"}},
                              Replacement::Cause::kStall,
                              6}),
    [](const auto& tested) { return tested.param.name; });

TEST(Drone, ends_with_the_providers_error_when_nothing_stands_by) {
  Config config = troubled({{"slipway.test.fail_run", "2"}}, {});
  config.detector_run.standby.reset();
  auto pipeline = Drone::load(environment(), config);
  ASSERT_TRUE(pipeline);
  Scene scene;
  ASSERT_TRUE((*pipeline)->run(test_image().view(), true, scene));
  const auto done = (*pipeline)->run(test_image().view(), true, scene);
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().message.find("device was lost"), std::string::npos) << done.error().message;
}

TEST(Drone, refuses_a_nonsensical_view) {
  Config config = plain();
  config.sectors = 0;
  EXPECT_FALSE(Drone::load(environment(), config));
  config.sectors = 9;
  config.field_of_view_deg = 180;
  EXPECT_FALSE(Drone::load(environment(), config));
}

}  // namespace
}  // namespace slipway::pipelines::drone
