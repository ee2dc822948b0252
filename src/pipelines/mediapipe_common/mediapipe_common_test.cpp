#include <cmath>
#include <limits>
#include <numbers>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/files.hpp"
#include "pipelines/mediapipe_common/one_euro.hpp"
#include "pipelines/mediapipe_common/region.hpp"
#include "pipelines/mediapipe_common/ssd.hpp"

namespace slipway::pipelines::mediapipe {
namespace {

const nlohmann::json& reference() {
  static const auto kRead =
      nlohmann::json::parse(*base::read_file("tests/golden/mediapipe_face/reference.json", 1 << 20));
  return kRead;
}

TEST(Anchors, are_those_of_the_numpy_reading) {
  const std::vector<AnchorLayer> short_range = {{8, 2}, {16, 6}}, full_range = {{4, 1}};
  for (const auto& [name, size, layers, count] : {std::tuple{"short_range", 128, short_range, std::size_t{896}},
                                                  std::tuple{"full_range", 192, full_range, std::size_t{2304}}}) {
    const auto anchors = make_anchors(size, layers);
    ASSERT_EQ(anchors.size(), count);
    const auto& expected = reference()["every_97th_anchor"][name];
    for (std::size_t i = 0; i < expected.size(); ++i) {
      EXPECT_NEAR(anchors[97 * i].x, expected[i][0].get<double>(), 1e-7) << name << " " << i;
      EXPECT_NEAR(anchors[97 * i].y, expected[i][1].get<double>(), 1e-7) << name << " " << i;
    }
  }
}

TEST(SsdDecoder, adds_the_anchor_to_centre_and_keypoints_but_not_to_the_size) {
  const std::vector<AnchorLayer> layers = {{16, 1}};  // 2 × 2 cells of a 32-pixel input
  const SsdDecoder decoder(32, layers, 1);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  auto coordinates = std::move(tensor::Tensor::zeros(tensor::Dtype::kFloat32, {1, 4, 6})).value();
  auto logits = std::move(tensor::Tensor::zeros(tensor::Dtype::kFloat32, {1, 4, 1})).value();
  const std::array<float, 24> rows = {0,   0, 4,  4, 0,  0,  //
                                      1,   2, 10, 6, -3, 5,  // right upper cell: anchor at (24, 8)
                                      0,   0, -1, 4, 0,  0,  // a size below zero
                                      nan, 0, 4,  4, 0,  0};
  std::ranges::copy(rows, coordinates.values<float>().begin());
  std::ranges::copy(std::array<float, 4>{-0.1F, 0.5F, 1000, 5}, logits.values<float>().begin());
  const std::array<SsdRows, 1> parts = {
      SsdRows{*RealValues::over(coordinates, std::nullopt, "c"), *RealValues::over(logits, std::nullopt, "l"), 4}};
  std::vector<Detection> found;
  decoder.decode(parts, 0.5F, found);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].box, (Box{20, 7, 30, 13}));
  EXPECT_EQ(found[0].keypoints[0].x, 21);
  EXPECT_EQ(found[0].keypoints[0].y, 13);
  EXPECT_NEAR(found[0].score, 1 / (1 + std::exp(-0.5)), 1e-6);
  decoder.decode(parts, 0, found);
  EXPECT_EQ(found.size(), 2U);
}

Detection at(Box box, float score) {
  Detection detection;
  detection.box = box;
  detection.score = score;
  detection.keypoints[0] = {box.x1, box.y2};
  return detection;
}

// The same numbers as python/tests/test_mediapipe_face.py asserts of the NumPy reading.
TEST(WeightedSuppression, averages_what_overlaps_by_score) {
  std::vector<Detection> found = {at({50, 50, 60, 60}, 0.6F), at({0, 0, 10, 12}, 0.3F), at({0, 0, 10, 10}, 0.9F),
                                  at({5, 5, 5, 5}, 0.2F)};
  std::vector<Detection> kept;
  suppress_weighted(found, 0.3, kept);
  ASSERT_EQ(kept.size(), 3U);
  EXPECT_EQ(kept[0].score, 0.9F);
  EXPECT_NEAR(kept[0].box.y2, 10.5, 1e-6);
  EXPECT_NEAR(kept[0].keypoints[0].y, 10.5, 1e-6);
  EXPECT_NEAR(kept[1].box.x1, 50, 1e-6);
  EXPECT_NEAR(kept[2].box.x1, 5, 1e-6);  // without area, and still there
}

TEST(GreedySuppression, keeps_the_best_as_it_is) {
  std::vector<Detection> found = {at({0, 0, 10, 12}, 0.3F), at({0, 0, 10, 10}, 0.9F), at({50, 50, 60, 60}, 0.6F)};
  std::vector<Detection> kept;
  suppress_greedily(found, 0.3, kept);
  ASSERT_EQ(kept.size(), 2U);
  EXPECT_EQ(kept[0].box, (Box{0, 0, 10, 10}));
}

TEST(Region, turns_the_eyes_level_in_its_crop) {
  const media::Point right{100, 100}, left{140, 140};
  const double angle = angle_between(right, left);
  EXPECT_NEAR(angle, std::numbers::pi / 4, 1e-12);
  const Region region = square_region({90, 80, 150, 160}, angle, 1.5);
  EXPECT_EQ(region.width, 120);
  const media::Affine map = crop_map(region, 192, 192);
  const media::Point middle = map.apply({96, 96});
  EXPECT_NEAR(middle.x, 120, 1e-9);
  EXPECT_NEAR(middle.y, 120, 1e-9);
  // A step to the right in the crop is a step along the eyes in the image.
  const media::Point next = map.apply({96 + 192, 96});
  EXPECT_NEAR(next.x - middle.x, 120 * std::numbers::sqrt2 / 2, 1e-9);
  EXPECT_NEAR(next.y - middle.y, 120 * std::numbers::sqrt2 / 2, 1e-9);
}

TEST(Region, of_a_letterbox_holds_the_image_in_its_middle) {
  const media::Affine map = crop_map(letterbox_region(300, 100), 128, 128);
  EXPECT_NEAR(map.apply({0, 0}).x, 0, 1e-9);
  EXPECT_NEAR(map.apply({0, 0}).y, -100, 1e-9);
  EXPECT_NEAR(map.apply({128, 64}).x, 300, 1e-9);
  EXPECT_NEAR(map.apply({128, 64}).y, 50, 1e-9);
}

TEST(OneEuro, smooths_as_the_numpy_reading_does) {
  const auto& expected = reference()["smoothing"];
  OneEuroFilter filter{OneEuroSettings{}};
  double moved = 0;
  for (std::size_t i = 0; i < expected["times"].size(); ++i) {
    std::array<float, 2> values = {expected["values"][i][0], expected["values"][i][1]};
    const std::array<float, 2> raw = values;
    filter.apply(expected["times"][i], expected["value_scale"], values);
    for (std::size_t k = 0; k < 2; ++k) {
      EXPECT_NEAR(values[k], expected["smoothed"][i][k].get<double>(), 1e-4) << i;
      moved = std::max(moved, static_cast<double>(std::fabs(values[k] - raw[k])));
    }
  }
  EXPECT_GT(moved, 0.1);
}

TEST(OneEuro, leaves_values_alone_when_time_stands_still_and_starts_anew_after_a_reset) {
  OneEuroFilter filter{OneEuroSettings{}};
  std::array<float, 1> value = {10};
  filter.apply(1, 1, value);
  value = {20};
  filter.apply(1, 1, value);
  EXPECT_EQ(value[0], 20);
  filter.reset();
  value = {30};
  filter.apply(0.5, 1, value);
  EXPECT_EQ(value[0], 30);
}

}  // namespace
}  // namespace slipway::pipelines::mediapipe
