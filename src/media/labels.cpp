#include "media/labels.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "media/internal/typeface.hpp"

namespace slipway::media {
namespace {

constexpr std::size_t kMostLetters = 512;

/// Around a line of text.
int margin_of(int size) {
  return std::max(1, size / 6);
}

void blend(std::uint8_t* pixel, Colour colour, unsigned coverage) {
  if (coverage == 255) {
    std::copy_n(colour.data(), 3, pixel);
    return;
  }
  for (std::size_t c = 0; c < 3; ++c) {
    const unsigned mixed = pixel[c] * (255 - coverage) + colour[c] * coverage + 127;
    pixel[c] = static_cast<std::uint8_t>(mixed / 255);
  }
}

void fill(Image& image, int x, int y, int width, int height, Colour colour) {
  const int left = std::max(x, 0), right = std::min(x + width, image.width());
  const int top = std::max(y, 0), bottom = std::min(y + height, image.height());
  if (left >= right || top >= bottom) return;
  const std::uint8_t* const first = image.row(top) + std::ptrdiff_t{3} * left;
  std::uint8_t* to = image.row(top) + std::ptrdiff_t{3} * left;
  for (int column = left; column < right; ++column, to += 3) std::copy_n(colour.data(), 3, to);
  const std::size_t bytes = std::size_t{3} * static_cast<std::size_t>(right - left);
  for (int row = top + 1; row < bottom; ++row) std::memcpy(image.row(row) + std::ptrdiff_t{3} * left, first, bytes);
}

void draw_glyph(Image& image, const internal::Glyph& glyph, int pen, int base, Colour ink) {
  const int x = pen + glyph.left, y = base - glyph.top;
  const int first = std::max(0, -x), last = std::min(glyph.width, image.width() - x);
  for (int row = std::max(0, -y); row < std::min(glyph.height, image.height() - y); ++row) {
    const std::uint8_t* const coverage = glyph.coverage.data() + std::ptrdiff_t{row} * glyph.width;
    std::uint8_t* const to = image.row(y + row) + std::ptrdiff_t{3} * x;
    for (int column = first; column < last; ++column) {
      if (coverage[column] != 0) blend(to + std::ptrdiff_t{3} * column, ink, coverage[column]);
    }
  }
}

/// Black on light plates, white on dark ones (luma of BT.601).
Colour ink_on(Colour plate) {
  return 299 * plate[0] + 587 * plate[1] + 114 * plate[2] > 140'000 ? kBlack : kWhite;
}

/// A coordinate as a pixel, so near to the image that arithmetic on it cannot overflow.
int pixel(double coordinate) {
  constexpr double kFar = 1 << 24;
  return static_cast<int>(std::floor(std::clamp(coordinate, -kFar, kFar)));
}

/// Whether a place lies over one of these.
bool is_met(const Labels::Place& place, std::span<const Labels::Place> others) {
  return std::ranges::any_of(others, [&](const Labels::Place& other) {
    return place.x < other.x + other.width && other.x < place.x + place.width && place.y < other.y + other.height &&
           other.y < place.y + place.height;
  });
}

}  // namespace

int text_size_for(ImageView image) {
  return std::clamp(std::min(image.width, image.height) / 40 + 4, 10, 96);
}

TextExtent extent_of(std::string_view text, int size) {
  auto& typeface = internal::Typeface::of_size(size);
  const int margin = margin_of(size);
  TextExtent extent{.width = 2 * margin, .height = typeface.ascent() + typeface.descent()};
  text = text.substr(0, kMostLetters);
  while (!text.empty()) extent.width += typeface.glyph(internal::consume_letter(text)).advance;
  return extent;
}

void draw_plain_text(Image& image, int x, int y, std::string_view text, Colour ink, int size) {
  auto& typeface = internal::Typeface::of_size(size);
  const int base = y + typeface.ascent();
  int pen = x + margin_of(size);
  text = text.substr(0, kMostLetters);
  while (!text.empty() && pen < image.width()) {
    const internal::Glyph& glyph = typeface.glyph(internal::consume_letter(text));
    draw_glyph(image, glyph, pen, base, ink);
    pen += glyph.advance;
  }
}

void draw_label(Image& image, int x, int y, std::string_view text, Colour plate, int size) {
  const TextExtent extent = extent_of(text, size);
  x = std::max(0, std::min(x, image.width() - extent.width));
  y = std::max(0, std::min(y, image.height() - extent.height));
  fill(image, x, y, extent.width, extent.height, plate);
  draw_plain_text(image, x, y, text, ink_on(plate), size);
}

Colour colour_of_class(int number) {
  constexpr std::array<Colour, 19> kColours = {{{0, 200, 83},
                                                {255, 112, 67},
                                                {41, 121, 255},
                                                {255, 202, 40},
                                                {213, 0, 249},
                                                {0, 184, 212},
                                                {255, 64, 129},
                                                {174, 213, 129},
                                                {126, 87, 194},
                                                {239, 83, 80},
                                                {77, 182, 172},
                                                {255, 171, 145},
                                                {92, 107, 192},
                                                {205, 220, 57},
                                                {161, 136, 127},
                                                {144, 202, 249},
                                                {0, 96, 100},
                                                {244, 143, 177},
                                                {104, 159, 56}}};
  const auto count = static_cast<int>(kColours.size());
  return kColours[static_cast<std::size_t>((number % count + count) % count)];
}

void Labels::reserve(int x, int y, int width, int height) {
  if (count_ < kMost) places_[count_++] = {x, y, width, height};
}

void Labels::spare(double x1, double y1, double x2, double y2) {
  constexpr int kSmall = 4;  // times the height of a label
  const int height = extent_of("", size_).height;
  const bool is_small = x2 - x1 < kSmall * height && y2 - y1 < kSmall * height;  // false for what is no number
  if (spared_count_ == kMost || !is_small) return;
  const int x = pixel(x1), y = pixel(y1);
  spared_[spared_count_++] = {x, y, pixel(x2) + 1 - x, pixel(y2) + 1 - y};
}

bool Labels::add(double x1, double y1, double x2, double y2, std::string_view text, Colour colour) {
  if (count_ == kMost || !std::isfinite(x1) || !std::isfinite(y1) || !std::isfinite(x2) || !std::isfinite(y2)) {
    return false;
  }
  const TextExtent extent = extent_of(text, size_);
  const int left = pixel(x1), top = pixel(y1), right = pixel(x2) + 1, bottom = pixel(y2) + 1;
  const int at_right = right - extent.width;
  // Above, within, below, beside; then lower and lower within the box.
  const std::array<Place, 9> first = {{{left, top - extent.height},
                                       {at_right, top - extent.height},
                                       {left, top},
                                       {at_right, top},
                                       {left, bottom - extent.height},
                                       {at_right, bottom - extent.height},
                                       {left, bottom},
                                       {right, top},
                                       {left - extent.width, top}}};
  constexpr int kMostRows = 16;
  const int rows = std::clamp((bottom - top) / std::max(extent.height, 1), 0, kMostRows);
  const auto is_placed = [&](Place place, bool covers_boxes) {
    // Along a row a label may move to stay inside; out of its row it would name something else.
    place.x = std::max(0, std::min(place.x, image_.width() - extent.width));
    if (place.y < 0 || place.y + extent.height > image_.height()) return false;
    place.width = extent.width;
    place.height = extent.height;
    if (is_met(place, places()) || (!covers_boxes && is_met(place, std::span(spared_).first(spared_count_))))
      return false;
    places_[count_++] = place;
    draw_label(image_, place.x, place.y, text, colour, size_);
    return true;
  };
  for (const bool covers_boxes : {false, true}) {
    for (const Place& place : first) {
      if (is_placed(place, covers_boxes)) return true;
    }
    for (int row = 1; row < rows; ++row) {
      const int y = top + row * extent.height;
      if (is_placed({left, y}, covers_boxes) || is_placed({at_right, y}, covers_boxes)) return true;
    }
  }
  return false;
}

}  // namespace slipway::media
