#include "pipelines/drone/sectors.hpp"

#include <gtest/gtest.h>

namespace slipway::pipelines::drone {
namespace {

const std::vector<Surface> kSurfaces = {Surface::kSky, Surface::kRoad, Surface::kBuilding};

/// 90×40 cells in an image of 900×400: sky, below row 20 road; a building on the left third down to row 30.
segmentation::LabelMap street() {
  segmentation::LabelMap map{90, 40, std::vector<std::uint8_t>(3600)};
  for (std::size_t y = 0; y < 40; ++y) {
    for (std::size_t x = 0; x < 90; ++x) map.labels[y * 90 + x] = x < 30 && y < 30 ? 2 : y < 20 ? 0 : 1;
  }
  return map;
}

std::vector<Sector> made_of(const std::vector<double>& scores, int width) {
  std::vector<Sector> sectors(scores.size());
  for (std::size_t i = 0; i < scores.size(); ++i) {
    sectors[i].x1 = width * static_cast<double>(i) / static_cast<double>(scores.size());
    sectors[i].x2 = width * static_cast<double>(i + 1) / static_cast<double>(scores.size());
    sectors[i].free = scores[i];
  }
  return sectors;
}

TEST(OpenGround, is_the_run_from_the_lower_edge_to_the_horizon) {
  const auto map = street();
  const SurfaceView view(map, kSurfaces, 900, 400);
  EXPECT_NEAR(open_ground(view, 60, 90, 200.0), 1, 0.06);
  EXPECT_NEAR(open_ground(view, 0, 30, 200.0), 0.5, 0.06);
  // Looking down: all ground counts, wherever it is.
  EXPECT_NEAR(open_ground(view, 60, 90, std::nullopt), 0.5, 0.06);
}

TEST(BuildSectors, lowers_the_score_where_objects_stand) {
  const auto map = street();
  const SurfaceView view(map, kSurfaces, 900, 400);
  const std::vector<Obstacle> obstacles = {{{700, 200, 800, 380}, DistanceClass::kNear},
                                           {{640, 200, 660, 230}, DistanceClass::kFar},
                                           {{810, 200, 890, 230}, DistanceClass::kUnknown}};
  std::vector<Sector> sectors(3);
  build_sectors(&view, obstacles, 200.0, 900, 9, sectors);
  ASSERT_EQ(sectors.size(), 9U);
  EXPECT_NEAR(sectors[0].free, 0.5, 0.06);
  EXPECT_NEAR(sectors[4].free, 1, 0.06);
  EXPECT_NEAR(sectors[6].free, 0.8, 0.06);
  EXPECT_EQ(sectors[6].nearest, DistanceClass::kFar);
  EXPECT_EQ(sectors[7].free, 0);
  EXPECT_EQ(sectors[7].objects, 1);
  EXPECT_NEAR(sectors[8].free, 0.5, 0.06);
}

TEST(BuildSectors, ignores_an_object_that_hardly_reaches_in) {
  const std::vector<Obstacle> obstacles = {{{95, 0, 300, 100}, DistanceClass::kNear}};
  std::vector<Sector> sectors;
  build_sectors(nullptr, obstacles, std::nullopt, 900, 9, sectors);
  EXPECT_EQ(sectors[0].free, 1);  // 5 of 100 pixels
  EXPECT_EQ(sectors[1].free, 0);
  EXPECT_EQ(sectors[2].free, 0);
  EXPECT_EQ(sectors[3].free, 1);
}

TEST(FreeHeading, points_to_the_middle_of_the_widest_free_run) {
  const auto sectors = made_of({0.9, 0.2, 0.6, 0.6, 0.6, 0.1, 0.9, 0.9, 0}, 900);
  const auto heading = free_heading(sectors, 900, 90);
  ASSERT_TRUE(heading);
  EXPECT_EQ(heading->first_sector, 2);
  EXPECT_EQ(heading->last_sector, 4);
  EXPECT_NEAR(heading->degrees, -12.53, 0.01);  // atan((350 − 450) / 450)
}

TEST(FreeHeading, prefers_the_freer_then_the_straighter_of_equal_runs) {
  EXPECT_EQ(free_heading(made_of({0.6, 0, 0.9, 0, 0.6}, 500), 500, 90)->first_sector, 2);
  EXPECT_EQ(free_heading(made_of({0.9, 0, 0, 0.9, 0, 0}, 600), 600, 90)->first_sector, 3);
}

TEST(FreeHeading, is_not_there_when_no_sector_is_free) {
  EXPECT_FALSE(free_heading(made_of({0.4, 0.49, 0}, 300), 300, 90));
  EXPECT_FALSE(free_heading({}, 300, 90));
}

}  // namespace
}  // namespace slipway::pipelines::drone
