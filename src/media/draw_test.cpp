#include "media/draw.hpp"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

namespace slipway::media {
namespace {

Image black(int width, int height) {
  return std::move(Image::create(width, height)).value();
}

int count(const Image& image, Colour colour) {
  int found = 0;
  for (int y = 0; y < image.height(); ++y) {
    for (int x = 0; x < image.width(); ++x) {
      if (std::equal(colour.begin(), colour.end(), image.row(y) + 3 * x)) ++found;
    }
  }
  return found;
}

TEST(Drawing, a_box_colours_its_outline_and_nothing_else) {
  Image image = black(20, 10);
  draw_box(image, 2, 3, 11, 8, kRed, 1);
  EXPECT_EQ(count(image, kRed), 2 * 10 + 2 * 4);
  EXPECT_EQ(image.row(3)[3 * 2], kRed[0]);
  EXPECT_EQ(image.row(8)[3 * 11], kRed[0]);
  EXPECT_EQ(image.row(5)[3 * 5], 0);
}

TEST(Drawing, what_lies_outside_or_is_not_a_number_changes_nothing) {
  Image image = black(8, 8);
  const double nan = std::numeric_limits<double>::quiet_NaN(), huge = 1e300;
  draw_box(image, nan, 0, 5, 5, kRed, 1);
  draw_box(image, 20, 20, 30, 30, kRed, 2);
  draw_point(image, {huge, -huge}, 3, kRed);
  draw_line(image, {-50, -50}, {-1, -1e9}, kRed, 1);
  draw_line(image, {nan, 1}, {2, 2}, kRed, 1);
  EXPECT_EQ(count(image, kRed), 0);
}

TEST(Drawing, a_line_from_far_away_crosses_the_image_quickly) {
  Image image = black(32, 32);
  draw_line(image, {-1e12, 16}, {1e12, 16}, kGreen, 1);
  EXPECT_EQ(count(image, kGreen), 32);
}

TEST(Drawing, a_polyline_closes_when_asked) {
  Image open = black(16, 16), closed = black(16, 16);
  const std::array<Point, 3> corners = {Point{2, 2}, Point{12, 2}, Point{2, 12}};
  draw_polyline(open, corners, false, kRed, 1);
  draw_polyline(closed, corners, true, kRed, 1);
  EXPECT_GT(count(closed, kRed), count(open, kRed));
}

TEST(Drawing, slanted_lines_have_soft_edges_and_their_width) {
  Image image = black(100, 100);
  draw_line(image, {10, 10}, {90, 50}, kWhite, 4);
  double covered = 0;
  int soft = 0;
  for (int y = 0; y < 100; ++y) {
    for (int x = 0; x < 100; ++x) {
      covered += image.row(y)[3 * x] / 255.0;
      soft += image.row(y)[3 * x] > 0 && image.row(y)[3 * x] < 255 ? 1 : 0;
    }
  }
  EXPECT_NEAR(covered, 4 * std::hypot(80, 40), 30) << "width times length, and its ends";
  EXPECT_GT(soft, 80);
}

}  // namespace
}  // namespace slipway::media
