#include "media/labels.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <limits>
#include <numeric>
#include <string>

#include <gtest/gtest.h>

#include "base/testing/allocations.hpp"
#include "media/internal/typeface.hpp"

namespace slipway::media {
namespace {

Image black_image(int width, int height) {
  return std::move(Image::create(width, height)).value();
}

/// How many pixels have each value of red.
std::array<int, 256> histogram(const Image& image) {
  std::array<int, 256> counts{};
  for (int y = 0; y < image.height(); ++y) {
    for (int x = 0; x < image.width(); ++x) ++counts[image.row(y)[3 * x]];
  }
  return counts;
}

bool is_empty(const Image& image) {
  return histogram(image)[0] == image.width() * image.height();
}

bool overlap(const Labels::Place& a, const Labels::Place& b) {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

TEST(Text, has_small_letters_with_soft_edges) {
  Image small = black_image(80, 24), capital = black_image(80, 24);
  draw_plain_text(small, 0, 0, "bus", kWhite, 16);
  draw_plain_text(capital, 0, 0, "BUS", kWhite, 16);
  EXPECT_NE(histogram(small), histogram(capital));
  const auto counts = histogram(small);
  EXPECT_GT(std::accumulate(counts.begin() + 1, counts.end() - 1, 0), 20) << "pixels that a letter covers in part";
  EXPECT_GT(counts[255], 5) << "pixels that it covers whole";
}

TEST(Text, is_utf8_and_takes_the_width_that_it_says) {
  for (const std::string text : {"person 0.91", "\xC3\xA4\xC3\xB6\xC3\xBC", "\xD0\xBB\xD0\xB8\xD1\x86\xD0\xBE",
                                 "\xE7\x8C\xAB", "\xFF\xC3", ""}) {
    Image image = black_image(300, 40);
    draw_plain_text(image, 0, 0, text, kWhite, 20);
    const TextExtent extent = extent_of(text, 20);
    int right = 0;
    for (int y = 0; y < 40; ++y) {
      for (int x = 0; x < 300; ++x) {
        if (image.row(y)[3 * x] != 0) {
          right = std::max(right, x + 1);
          EXPECT_LT(y, extent.height) << text;
        }
      }
    }
    EXPECT_LE(right, extent.width) << text;
    EXPECT_GE(right + 8, extent.width) << text;
  }
}

TEST(Text, letters_beyond_ascii_are_read_as_rfc_3629_says) {
  const auto letters = [](std::string_view text) {
    std::u32string all;
    while (!text.empty()) all += internal::consume_letter(text);
    return all;
  };
  EXPECT_EQ(letters("a\xC3\xA4\xE7\x8C\xAB\xF0\x9F\x9A\x81"), U"aä猫🚁");
  EXPECT_EQ(letters("\xC3"), U"\xFFFD");
  EXPECT_EQ(letters("\xE7\x8C"
                    "b"),
            U"\xFFFD\xFFFD"
            U"b");
}

TEST(Text, outside_and_on_tiny_images_changes_nothing_beyond) {
  Image image = black_image(20, 20);
  draw_plain_text(image, -500, 0, "far", kWhite, 16);
  draw_plain_text(image, 0, 500, "far", kWhite, 16);
  EXPECT_TRUE(is_empty(image));
  Image tiny = black_image(2, 2);
  draw_label(tiny, 0, 0, std::string(10'000, 'w'), kRed, 40);
}

TEST(Text, is_moved_inside_whole_and_its_letters_differ) {
  Image here = black_image(60, 24), other = black_image(60, 24), outside = black_image(60, 24);
  draw_label(here, 0, 0, "0.83", {20, 20, 120}, 16);
  draw_label(other, 0, 0, "0.88", {20, 20, 120}, 16);
  draw_label(outside, 500, -500, "0.83", {20, 20, 120}, 16);
  EXPECT_NE(histogram(here), histogram(other));
  EXPECT_EQ(histogram(here), histogram(outside));
}

TEST(Text, is_black_on_light_plates_and_white_on_dark_ones) {
  Image light = black_image(100, 30), dark = black_image(100, 30);
  draw_label(light, 0, 0, "I", kYellow, 20);
  draw_label(dark, 0, 0, "I", {20, 20, 120}, 20);
  EXPECT_GT(histogram(light)[0], 100 * 30 - extent_of("I", 20).width * extent_of("I", 20).height);
  EXPECT_GT(histogram(dark)[255], 5);
}

TEST(Labels, of_boxes_at_one_place_do_not_hide_each_other) {
  Image image = black_image(640, 480);
  Labels labels(image, 18);
  int placed = 0;
  for (int i = 0; i < 6; ++i)
    placed += labels.add(300 + i, 200 + i, 380, 320, "person 0.91 near on road", kGreen) ? 1 : 0;
  EXPECT_EQ(placed, 6);
  for (std::size_t i = 0; i < labels.places().size(); ++i) {
    const auto& place = labels.places()[i];
    EXPECT_GE(place.x, 0);
    EXPECT_LE(place.x + place.width, 640);
    EXPECT_GE(place.y, 0);
    EXPECT_LE(place.y + place.height, 480);
    for (std::size_t j = 0; j < i; ++j) EXPECT_FALSE(overlap(place, labels.places()[j])) << i << " and " << j;
  }
}

TEST(Labels, of_a_crowd_are_left_out_rather_than_laid_over_each_other) {
  Image image = black_image(320, 240);
  Labels labels(image, 12);
  int placed = 0;
  for (int i = 0; i < 500; ++i) {
    placed += labels.add(i * 37 % 300, i * 53 % 220, i * 37 % 300 + 20, i * 53 % 220 + 20, "car 0.50", kGreen) ? 1 : 0;
  }
  EXPECT_GT(placed, 20);
  EXPECT_LT(placed, 500);
  for (std::size_t i = 0; i < labels.places().size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) ASSERT_FALSE(overlap(labels.places()[i], labels.places()[j]));
  }
}

TEST(Labels, leave_free_what_is_reserved_and_know_no_numbers_that_are_none) {
  Image image = black_image(100, 40);
  Labels labels(image, 12);
  labels.reserve(0, 0, 100, 40);
  EXPECT_FALSE(labels.add(10, 20, 50, 30, "x", kGreen));
  Labels others(image, 12);
  EXPECT_FALSE(others.add(std::numeric_limits<double>::quiet_NaN(), 0, 1, 1, "x", kGreen));
  EXPECT_FALSE(others.add(-1e300, -1e300, 1e300, std::numeric_limits<double>::infinity(), "x", kGreen));
  EXPECT_TRUE(is_empty(image));
}

TEST(Labels, cover_small_boxes_only_where_there_is_no_other_place) {
  Image image = black_image(400, 400);
  Labels labels(image, 16);
  const int height = extent_of("car", 16).height;
  labels.spare(100, 100 - height, 130, 99);
  ASSERT_TRUE(labels.add(100, 100, 300, 300, "car", kGreen));
  const auto& place = labels.places()[0];
  EXPECT_TRUE(place.y >= 100 || place.x > 130) << place.x << " " << place.y;
  Labels narrow(image, 16);
  narrow.spare(0, 0, 60, 60);
  narrow.reserve(60, 0, 340, 400);
  narrow.reserve(0, 60, 60, 340);
  EXPECT_TRUE(narrow.add(0, 0, 50, 50, "x", kGreen)) << "there is no other";
}

TEST(Labels, take_no_memory_after_the_first_image) {
  Image image = black_image(640, 480);
  const auto draw = [&] {
    Labels labels(image, 18);
    for (int i = 0; i < 20; ++i) {
      const LabelText text("person {:.2f} n\xC3\xA4her on sidewalk", 0.01 * i);
      labels.add(30 * i, 20 * i, 30 * i + 100, 20 * i + 60, text.text(), colour_of_class(i));
      draw_line(image, {10.0 * i, 0}, {0, 10.0 * i}, kRed, 3);
      draw_point(image, {10.0 * i, 20}, 3, kRed);
    }
  };
  draw();
  const std::uint64_t before = base::testing::allocations();
  draw();
  EXPECT_EQ(base::testing::allocations() - before, 0U);
}

TEST(LabelText, cuts_what_is_longer_than_its_memory) {
  LabelText text("{}", std::string(1000, 'a'));
  text.append("{}", 7);
  EXPECT_EQ(text.text(), std::string(128, 'a'));
}

TEST(Colours, of_neighbouring_classes_differ_and_every_number_has_one) {
  for (int i = -100; i < 100; ++i) {
    const Colour one = colour_of_class(i), next = colour_of_class(i + 1);
    int difference = 0;
    for (std::size_t c = 0; c < 3; ++c) difference += std::abs(one[c] - next[c]);
    EXPECT_GT(difference, 150) << i;
  }
}

}  // namespace
}  // namespace slipway::media
