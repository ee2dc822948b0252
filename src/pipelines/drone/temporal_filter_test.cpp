#include "pipelines/drone/temporal_filter.hpp"

#include <gtest/gtest.h>

namespace slipway::pipelines::drone {
namespace {

SceneObject object(double x, int class_id = 0, DistanceClass distance = DistanceClass::kFar) {
  SceneObject made;
  made.class_id = class_id;
  made.score = 0.8F;
  made.box = {x, 100, x + 50, 200};
  made.distance.distance = distance;
  return made;
}

std::vector<SceneObject> steadied(TemporalFilter& filter, std::vector<SceneObject> objects, bool did_detect = true) {
  filter.steady(objects, did_detect);
  return objects;
}

TEST(TemporalFilter, keeps_a_tracks_number_and_smooths_its_box) {
  TemporalFilter filter;
  const auto first = steadied(filter, {object(100), object(400)});
  ASSERT_EQ(first.size(), 2U);
  const auto second = steadied(filter, {object(410), object(110)});
  ASSERT_EQ(second.size(), 2U);
  for (const SceneObject& each : second) {
    EXPECT_EQ(each.track, each.box.x1 < 200 ? first[0].track : first[1].track);
  }
  EXPECT_NEAR(second[0].box.x1 < 200 ? second[0].box.x1 : second[1].box.x1, 106, 1e-9);
}

TEST(TemporalFilter, does_not_mix_classes) {
  TemporalFilter filter;
  const int person = steadied(filter, {object(100, 0)})[0].track;
  for (const SceneObject& each : steadied(filter, {object(100, 2)})) EXPECT_NE(each.track, person);
}

TEST(TemporalFilter, goes_on_for_three_missed_frames_with_what_was_seen_twice) {
  TemporalFilter filter;
  steadied(filter, {object(100)});
  steadied(filter, {object(100)});
  for (int missed = 1; missed <= 3; ++missed) {
    const auto objects = steadied(filter, {});
    ASSERT_EQ(objects.size(), 1U) << missed;
    EXPECT_FALSE(objects[0].is_detected);
  }
  EXPECT_TRUE(steadied(filter, {}).empty());
  steadied(filter, {object(100)});
  EXPECT_TRUE(steadied(filter, {}).empty());  // seen once: it was a flicker
}

TEST(TemporalFilter, carries_all_tracks_over_frames_without_detection) {
  TemporalFilter filter;
  steadied(filter, {object(100)});
  for (int i = 0; i < 8; ++i) {
    const auto objects = steadied(filter, {}, false);
    ASSERT_EQ(objects.size(), 1U);
    EXPECT_FALSE(objects[0].is_detected);
  }
}

TEST(TemporalFilter, changes_a_distance_class_only_when_two_frames_say_so) {
  TemporalFilter filter;
  const auto distance_of = [&](DistanceClass distance) {
    return steadied(filter, {object(100, 0, distance)})[0].distance.distance;
  };
  EXPECT_EQ(distance_of(DistanceClass::kFar), DistanceClass::kFar);
  EXPECT_EQ(distance_of(DistanceClass::kNear), DistanceClass::kFar);
  EXPECT_EQ(distance_of(DistanceClass::kFar), DistanceClass::kFar);
  EXPECT_EQ(distance_of(DistanceClass::kNear), DistanceClass::kFar);
  EXPECT_EQ(distance_of(DistanceClass::kNear), DistanceClass::kNear);
}

TEST(TemporalFilter, smooths_sectors_until_it_is_reset) {
  TemporalFilter filter;
  std::vector<Sector> sectors(2);
  sectors[0].free = 1;
  filter.steady(sectors);
  EXPECT_EQ(sectors[0].free, 1);
  sectors[0].free = 0;
  filter.steady(sectors);
  EXPECT_EQ(sectors[0].free, 0.5);
  filter.reset();
  sectors[0].free = 0;
  filter.steady(sectors);
  EXPECT_EQ(sectors[0].free, 0);
}

}  // namespace
}  // namespace slipway::pipelines::drone
