#include "pipelines/drone/rate_control.hpp"

#include <gtest/gtest.h>

namespace slipway::pipelines::drone {
namespace {

TEST(ChooseRates, runs_both_on_every_frame_without_a_budget) {
  EXPECT_EQ(choose_rates(50, 500, 0), (Rates{1, 1}));
  EXPECT_EQ(choose_rates(50, 40, 100), (Rates{1, 1}));
}

TEST(ChooseRates, lowers_segmentation_first) {
  EXPECT_EQ(choose_rates(50, 500, 100), (Rates{10, 1}));
  EXPECT_EQ(choose_rates(99, 500, 100), (Rates{kSlowestSegmentation, 1}));
}

TEST(ChooseRates, drops_detection_only_when_it_alone_is_over_the_budget) {
  EXPECT_EQ(choose_rates(150, 500, 100), (Rates{kSlowestSegmentation, 2}));
  EXPECT_EQ(choose_rates(100000, 500, 100), (Rates{kSlowestSegmentation, kSlowestDetection}));
}

/// Plays frames of a machine on which detection takes so long, and a segmentation adds so much over so many frames.
double mean_frame_ms(RateControl& control, double detect_ms, double segment_ms, int frames_beside, int frames) {
  int since = 1 << 20, left = 0, since_detect = 1 << 20, counted = 0;
  double sum = 0;
  for (int i = 0; i < frames; ++i) {
    const Rates rates = control.rates();
    if (left == 0 && ++since >= rates.segment_every) {
      since = 0;
      left = frames_beside;
    }
    const bool is_beside = left > 0, does_detect = ++since_detect >= rates.detect_every;
    if (does_detect) since_detect = 0;
    if (left > 0) --left;
    const double ms = (does_detect ? detect_ms : 0) + (is_beside ? segment_ms / frames_beside : 0);
    control.add_frame(ms, does_detect, is_beside, is_beside && left == 0);
    if (i >= frames / 2) {
      sum += ms;
      ++counted;
    }
  }
  return sum / counted;
}

struct Load {
  const char* name;
  double budget_ms, detect_ms, segment_ms;
  int frames_beside, frames;
  int segment_every;  ///< at least
};

class RateControlUnderLoad : public ::testing::TestWithParam<Load> {};

TEST_P(RateControlUnderLoad, keeps_the_budget_by_lowering_segmentation) {
  const Load& load = GetParam();
  RateControl control(load.budget_ms);
  EXPECT_LE(mean_frame_ms(control, load.detect_ms, load.segment_ms, load.frames_beside, load.frames),
            load.budget_ms * 1.05);
  EXPECT_EQ(control.rates().detect_every, 1);
  EXPECT_GE(control.rates().segment_every, load.segment_every);
}

// The second as seen with FFNet-40S on two cores: one segmentation lasts longer than the rate that the budget allows at
// first.
INSTANTIATE_TEST_SUITE_P(loads, RateControlUnderLoad,
                         ::testing::Values(Load{"short_segmentations", 80, 50, 300, 3, 400, 9},
                                           Load{"segmentations_of_many_frames", 150, 100, 1500, 10, 600, 28}),
                         [](const auto& about) { return about.param.name; });

TEST(RateControl, drops_detection_when_there_is_no_other_way) {
  RateControl control(30);
  EXPECT_LE(mean_frame_ms(control, 50, 300, 3, 800), 30 * 1.25);
  EXPECT_EQ(control.rates().detect_every, 2);
}

TEST(RateControl, leaves_both_alone_when_time_is_enough) {
  RateControl control(1000);
  mean_frame_ms(control, 50, 300, 1, 100);
  EXPECT_EQ(control.rates(), (Rates{1, 1}));
}

}  // namespace
}  // namespace slipway::pipelines::drone
