#include "pipelines/drone/surface.hpp"

#include <algorithm>

#include <gtest/gtest.h>

namespace slipway::pipelines::drone {
namespace {

const std::vector<Surface> kFourSurfaces = {Surface::kSky, Surface::kRoad, Surface::kVegetation, Surface::kMovable};

/// 40×20 cells: sky in the upper half, road in the lower one, a tree on the right quarter of both.
segmentation::LabelMap scenery() {
  segmentation::LabelMap map{40, 20, std::vector<std::uint8_t>(800)};
  for (std::size_t y = 0; y < 20; ++y) {
    for (std::size_t x = 0; x < 40; ++x) map.labels[y * 40 + x] = x >= 30 ? 2 : y < 10 ? 0 : 1;
  }
  return map;
}

TEST(SurfaceOfLabel, knows_cityscapes_and_water) {
  EXPECT_EQ(surface_of_label("road"), Surface::kRoad);
  EXPECT_EQ(surface_of_label("sidewalk"), Surface::kWalkway);
  EXPECT_EQ(surface_of_label("traffic sign"), Surface::kStructure);
  EXPECT_EQ(surface_of_label("rider"), Surface::kMovable);
  EXPECT_EQ(surface_of_label("river"), Surface::kWater);
  EXPECT_EQ(surface_of_label("class 19"), Surface::kUnknown);
  EXPECT_TRUE(is_ground(Surface::kTerrain));
  EXPECT_FALSE(is_ground(Surface::kWater));
}

TEST(MainSurface, leaves_out_what_stands_on_it) {
  SurfaceShares shares{};
  EXPECT_EQ(main_surface(shares), Surface::kUnknown);
  shares[static_cast<std::size_t>(Surface::kMovable)] = 0.7;
  shares[static_cast<std::size_t>(Surface::kRoad)] = 0.1;
  shares[static_cast<std::size_t>(Surface::kTerrain)] = 0.2;
  EXPECT_EQ(main_surface(shares), Surface::kTerrain);
}

TEST(SurfaceView, counts_an_area_without_its_hole) {
  const auto map = scenery();
  const SurfaceView view(map, kFourSurfaces, 400, 200);
  const Box left{0, 50, 200, 150};
  EXPECT_NEAR(view.shares(left, nullptr)[static_cast<std::size_t>(Surface::kRoad)], 0.5, 1e-9);
  const Box sky{0, 50, 200, 100};
  const auto without = view.shares(left, &sky);
  EXPECT_NEAR(without[static_cast<std::size_t>(Surface::kRoad)], 1, 1e-9);
  const auto outside = view.shares({-500, -500, -100, -100}, nullptr);
  EXPECT_EQ(main_surface(outside), Surface::kUnknown);
  // Partly outside: what is inside counts.
  EXPECT_NEAR(view.shares({300, 100, 900, 900}, nullptr)[static_cast<std::size_t>(Surface::kVegetation)], 1, 1e-9);
}

TEST(StripUnder, lies_below_the_object_or_inside_it_at_the_images_edge) {
  EXPECT_EQ(strip_under({10, 20, 30, 120}, 200), (Box{10, 120, 30, 135}));
  EXPECT_EQ(strip_under({10, 20, 30, 24}, 200), (Box{10, 24, 30, 28}));  // at least 2 % of the image
  EXPECT_EQ(strip_under({10, 100, 30, 200}, 200), (Box{10, 185, 30, 200}));
}

TEST(AreaAround, grows_by_a_quarter_on_each_side) {
  EXPECT_EQ(area_around({10, 20, 30, 60}), (Box{5, 10, 35, 70}));
}

TEST(FreeSpaceScore, is_the_share_of_ground) {
  SurfaceShares shares{};
  shares[static_cast<std::size_t>(Surface::kRoad)] = 0.3;
  shares[static_cast<std::size_t>(Surface::kWalkway)] = 0.2;
  shares[static_cast<std::size_t>(Surface::kBuilding)] = 0.5;
  EXPECT_NEAR(free_space_score(shares), 0.5, 1e-9);
}

TEST(FindHorizon, lies_between_sky_and_ground) {
  auto map = scenery();
  const auto horizon = find_horizon(SurfaceView(map, kFourSurfaces, 400, 200));
  ASSERT_TRUE(horizon);
  EXPECT_NEAR(*horizon, 100, 40);  // rows are looked at four by four: 20 rows make five
}

TEST(FindHorizon, is_not_there_when_the_camera_looks_down) {
  segmentation::LabelMap map{40, 40, std::vector<std::uint8_t>(1600, 1)};
  EXPECT_FALSE(find_horizon(SurfaceView(map, kFourSurfaces, 400, 400)));
  std::ranges::fill(map.labels, std::uint8_t{2});
  EXPECT_FALSE(find_horizon(SurfaceView(map, kFourSurfaces, 400, 400)));
  std::ranges::fill(map.labels, std::uint8_t{0});
  EXPECT_TRUE(find_horizon(SurfaceView(map, kFourSurfaces, 400, 400)));  // sky alone: it ends at the lower edge
}

}  // namespace
}  // namespace slipway::pipelines::drone
