#include "pipelines/drone/distance.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace slipway::pipelines::drone {
namespace {

TEST(FocalLength, is_half_the_width_at_ninety_degrees) {
  EXPECT_NEAR(focal_length_px(1000, 90), 500, 1e-9);
  EXPECT_GT(focal_length_px(1000, 40), focal_length_px(1000, 80));
}

TEST(DistanceBySize, follows_the_pinhole_camera) {
  EXPECT_NEAR(*distance_by_size({100, 100, 150, 200}, 1.7, 500, 480), 8.5, 1e-9);
  EXPECT_FALSE(distance_by_size({100, 0, 150, 200}, 1.7, 500, 480));    // cut by the upper edge
  EXPECT_FALSE(distance_by_size({100, 100, 150, 480}, 1.7, 500, 480));  // by the lower one
  EXPECT_FALSE(distance_by_size({100, 100, 150, 100}, 1.7, 500, 480));  // no height
}

TEST(UsualHeight, is_known_for_what_has_one) {
  EXPECT_EQ(usual_height_m("person"), 1.7);
  EXPECT_FALSE(usual_height_m("pizza"));
}

TEST(ShareBelowHorizon, grows_towards_the_viewer) {
  EXPECT_NEAR(*share_below_horizon({0, 0, 10, 300}, 200.0, 400), 0.5, 1e-9);
  EXPECT_NEAR(*share_below_horizon({0, 0, 10, 500}, 200.0, 400), 1, 1e-9);
  EXPECT_FALSE(share_below_horizon({0, 0, 10, 150}, 200.0, 400));  // in the air
  EXPECT_FALSE(share_below_horizon({0, 0, 10, 300}, std::nullopt, 400));
}

TEST(ClassifyDistance, takes_the_nearer_of_the_two) {
  EXPECT_EQ(classify_distance(5, std::nullopt), DistanceClass::kNear);
  EXPECT_EQ(classify_distance(10, std::nullopt), DistanceClass::kNear);
  EXPECT_EQ(classify_distance(30, std::nullopt), DistanceClass::kMiddle);
  EXPECT_EQ(classify_distance(30.1, std::nullopt), DistanceClass::kFar);
  EXPECT_EQ(classify_distance(std::nullopt, 0.6), DistanceClass::kNear);
  EXPECT_EQ(classify_distance(std::nullopt, 0.2), DistanceClass::kMiddle);
  EXPECT_EQ(classify_distance(std::nullopt, 0.19), DistanceClass::kFar);
  EXPECT_EQ(classify_distance(100, 0.7), DistanceClass::kNear);
  EXPECT_EQ(classify_distance(5, 0.1), DistanceClass::kNear);
  EXPECT_EQ(classify_distance(std::nullopt, std::nullopt), DistanceClass::kUnknown);
}

}  // namespace
}  // namespace slipway::pipelines::drone
