#include "media/draw.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>

namespace slipway::media {
namespace {

constexpr int kGlyphWidth = 5;
constexpr int kGlyphHeight = 7;
constexpr int kMargin = 1;  // around and between letters, in font pixels

struct Glyph {
  char letter;
  std::array<std::uint8_t, kGlyphHeight> rows;  // 5 bits each, the highest is the left pixel
};

constexpr std::array<Glyph, 57> kGlyphs = {{
    {' ', {0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00}},  {'!', {0x04, 0x04, 0x04, 0x04, 0x00, 0x00, 0x04}},
    {'#', {0x0A, 0x0A, 0x1F, 0x0A, 0x1F, 0x0A, 0x0A}},  {'%', {0x18, 0x19, 0x02, 0x04, 0x08, 0x13, 0x03}},
    {'\'', {0x04, 0x04, 0x08, 0x00, 0x00, 0x00, 0x00}}, {'(', {0x02, 0x04, 0x08, 0x08, 0x08, 0x04, 0x02}},
    {')', {0x08, 0x04, 0x02, 0x02, 0x02, 0x04, 0x08}},  {'*', {0x00, 0x04, 0x15, 0x0E, 0x15, 0x04, 0x00}},
    {'+', {0x00, 0x04, 0x04, 0x1F, 0x04, 0x04, 0x00}},  {',', {0x00, 0x00, 0x00, 0x00, 0x0C, 0x04, 0x08}},
    {'-', {0x00, 0x00, 0x00, 0x1F, 0x00, 0x00, 0x00}},  {'.', {0x00, 0x00, 0x00, 0x00, 0x00, 0x0C, 0x0C}},
    {'/', {0x00, 0x01, 0x02, 0x04, 0x08, 0x10, 0x00}},  {'0', {0x0E, 0x11, 0x13, 0x15, 0x19, 0x11, 0x0E}},
    {'1', {0x04, 0x0C, 0x04, 0x04, 0x04, 0x04, 0x0E}},  {'2', {0x0E, 0x11, 0x01, 0x02, 0x04, 0x08, 0x1F}},
    {'3', {0x1F, 0x02, 0x04, 0x02, 0x01, 0x11, 0x0E}},  {'4', {0x02, 0x06, 0x0A, 0x12, 0x1F, 0x02, 0x02}},
    {'5', {0x1F, 0x10, 0x1E, 0x01, 0x01, 0x11, 0x0E}},  {'6', {0x06, 0x08, 0x10, 0x1E, 0x11, 0x11, 0x0E}},
    {'7', {0x1F, 0x01, 0x02, 0x04, 0x08, 0x08, 0x08}},  {'8', {0x0E, 0x11, 0x11, 0x0E, 0x11, 0x11, 0x0E}},
    {'9', {0x0E, 0x11, 0x11, 0x0F, 0x01, 0x02, 0x0C}},  {':', {0x00, 0x0C, 0x0C, 0x00, 0x0C, 0x0C, 0x00}},
    {'<', {0x02, 0x04, 0x08, 0x10, 0x08, 0x04, 0x02}},  {'=', {0x00, 0x00, 0x1F, 0x00, 0x1F, 0x00, 0x00}},
    {'>', {0x08, 0x04, 0x02, 0x01, 0x02, 0x04, 0x08}},  {'?', {0x0E, 0x11, 0x01, 0x02, 0x04, 0x00, 0x04}},
    {'A', {0x0E, 0x11, 0x11, 0x1F, 0x11, 0x11, 0x11}},  {'B', {0x1E, 0x11, 0x11, 0x1E, 0x11, 0x11, 0x1E}},
    {'C', {0x0E, 0x11, 0x10, 0x10, 0x10, 0x11, 0x0E}},  {'D', {0x1C, 0x12, 0x11, 0x11, 0x11, 0x12, 0x1C}},
    {'E', {0x1F, 0x10, 0x10, 0x1E, 0x10, 0x10, 0x1F}},  {'F', {0x1F, 0x10, 0x10, 0x1E, 0x10, 0x10, 0x10}},
    {'G', {0x0E, 0x11, 0x10, 0x17, 0x11, 0x11, 0x0F}},  {'H', {0x11, 0x11, 0x11, 0x1F, 0x11, 0x11, 0x11}},
    {'I', {0x0E, 0x04, 0x04, 0x04, 0x04, 0x04, 0x0E}},  {'J', {0x07, 0x02, 0x02, 0x02, 0x02, 0x12, 0x0C}},
    {'K', {0x11, 0x12, 0x14, 0x18, 0x14, 0x12, 0x11}},  {'L', {0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x1F}},
    {'M', {0x11, 0x1B, 0x15, 0x15, 0x11, 0x11, 0x11}},  {'N', {0x11, 0x11, 0x19, 0x15, 0x13, 0x11, 0x11}},
    {'O', {0x0E, 0x11, 0x11, 0x11, 0x11, 0x11, 0x0E}},  {'P', {0x1E, 0x11, 0x11, 0x1E, 0x10, 0x10, 0x10}},
    {'Q', {0x0E, 0x11, 0x11, 0x11, 0x15, 0x12, 0x0D}},  {'R', {0x1E, 0x11, 0x11, 0x1E, 0x14, 0x12, 0x11}},
    {'S', {0x0F, 0x10, 0x10, 0x0E, 0x01, 0x01, 0x1E}},  {'T', {0x1F, 0x04, 0x04, 0x04, 0x04, 0x04, 0x04}},
    {'U', {0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x0E}},  {'V', {0x11, 0x11, 0x11, 0x11, 0x11, 0x0A, 0x04}},
    {'W', {0x11, 0x11, 0x11, 0x15, 0x15, 0x1B, 0x11}},  {'X', {0x11, 0x11, 0x0A, 0x04, 0x0A, 0x11, 0x11}},
    {'Y', {0x11, 0x11, 0x0A, 0x04, 0x04, 0x04, 0x04}},  {'Z', {0x1F, 0x01, 0x02, 0x04, 0x08, 0x10, 0x1F}},
    {'[', {0x0E, 0x08, 0x08, 0x08, 0x08, 0x08, 0x0E}},  {']', {0x0E, 0x02, 0x02, 0x02, 0x02, 0x02, 0x0E}},
    {'_', {0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x1F}},
}};
constexpr Glyph kUnknownGlyph = {0, {0x1F, 0x11, 0x11, 0x11, 0x11, 0x11, 0x1F}};

const Glyph& glyph_of(char letter) {
  const auto capital = static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
  const auto* found = std::ranges::find(kGlyphs, capital, &Glyph::letter);
  return found == kGlyphs.end() ? kUnknownGlyph : *found;
}

/// A coordinate as a pixel, kept so near to the image that arithmetic on it cannot overflow.
int pixel(double coordinate) {
  constexpr double kFar = 1 << 24;
  return static_cast<int>(std::floor(std::clamp(coordinate, -kFar, kFar)));
}

/// Fills [x1, x2) × [y1, y2), as far as it is inside.
void fill(Image& image, int x1, int y1, int x2, int y2, Colour colour) {
  x1 = std::max(x1, 0);
  y1 = std::max(y1, 0);
  x2 = std::min(x2, image.width());
  y2 = std::min(y2, image.height());
  for (int y = y1; y < y2; ++y) {
    std::uint8_t* to = image.row(y) + std::ptrdiff_t{3} * x1;
    for (int x = x1; x < x2; ++x, to += 3) std::copy_n(colour.data(), 3, to);
  }
}

bool all_finite(std::initializer_list<double> values) {
  return std::ranges::all_of(values, [](double value) { return std::isfinite(value); });
}

/// Cuts the line to the rectangle grown by `margin`; false when nothing is left.
bool clip_line(Point& from, Point& to, double width, double height, double margin) {
  double begin = 0, end = 1;
  const double dx = to.x - from.x, dy = to.y - from.y;
  const auto cut = [&](double direction, double distance) {
    if (direction == 0) return distance >= 0;
    const double t = distance / direction;
    if (direction < 0) {
      begin = std::max(begin, t);
    } else {
      end = std::min(end, t);
    }
    return begin <= end;
  };
  if (!cut(-dx, from.x + margin) || !cut(dx, width + margin - from.x) || !cut(-dy, from.y + margin) ||
      !cut(dy, height + margin - from.y)) {
    return false;
  }
  const Point start = from;
  from = {start.x + begin * dx, start.y + begin * dy};
  to = {start.x + end * dx, start.y + end * dy};
  return true;
}

}  // namespace

int line_width_for(ImageView image) {
  return std::max(
      1, (std::min(image.width, image.height) + 240) / 480 + (std::min(image.width, image.height) > 320 ? 1 : 0));
}

void draw_box(Image& image, double x1, double y1, double x2, double y2, Colour colour, int line_width) {
  if (!all_finite({x1, y1, x2, y2})) return;
  const int left = pixel(x1), top = pixel(y1), right = pixel(x2) + 1, bottom = pixel(y2) + 1;
  fill(image, left, top, right, top + line_width, colour);
  fill(image, left, bottom - line_width, right, bottom, colour);
  fill(image, left, top, left + line_width, bottom, colour);
  fill(image, right - line_width, top, right, bottom, colour);
}

void draw_point(Image& image, Point centre, int radius, Colour colour) {
  if (!all_finite({centre.x, centre.y})) return;
  const int x = pixel(centre.x), y = pixel(centre.y);
  for (int dy = -radius; dy <= radius; ++dy) {
    const int half = static_cast<int>(std::sqrt(static_cast<double>(radius * radius - dy * dy) + 0.25 * radius));
    fill(image, x - half, y + dy, x + half + 1, y + dy + 1, colour);
  }
}

void draw_line(Image& image, Point from, Point to, Colour colour, int line_width) {
  if (!all_finite({from.x, from.y, to.x, to.y})) return;
  if (!clip_line(from, to, image.width(), image.height(), line_width)) return;
  const double length = std::max(std::abs(to.x - from.x), std::abs(to.y - from.y));
  const int steps = std::max(1, static_cast<int>(std::ceil(length)));
  const int radius = (line_width - 1) / 2;
  for (int i = 0; i <= steps; ++i) {
    const double t = static_cast<double>(i) / steps;
    const Point at = {from.x + t * (to.x - from.x), from.y + t * (to.y - from.y)};
    if (line_width <= 2) {
      fill(image, pixel(at.x), pixel(at.y), pixel(at.x) + line_width, pixel(at.y) + line_width, colour);
    } else {
      draw_point(image, at, radius, colour);
    }
  }
}

void draw_polyline(Image& image, std::span<const Point> points, bool closed, Colour colour, int line_width) {
  for (std::size_t i = 1; i < points.size(); ++i) draw_line(image, points[i - 1], points[i], colour, line_width);
  if (closed && points.size() > 2) draw_line(image, points.back(), points.front(), colour, line_width);
}

int text_height(int scale) {
  return (kGlyphHeight + 2 * kMargin) * scale;
}

void draw_text(Image& image, int x, int y, std::string_view text, Colour colour, int scale) {
  constexpr Colour kBar = {24, 24, 24};
  const int advance = (kGlyphWidth + kMargin) * scale;
  const int width = static_cast<int>(std::min<std::size_t>(text.size(), 4096)) * advance + kMargin * scale;
  x = std::max(0, std::min(x, image.width() - width));
  y = std::max(0, std::min(y, image.height() - text_height(scale)));
  fill(image, x, y, x + width, y + text_height(scale), kBar);
  int left = x + kMargin * scale;
  for (const char letter : text) {
    if (left >= image.width()) break;
    const Glyph& glyph = glyph_of(letter);
    for (int row = 0; row < kGlyphHeight; ++row) {
      for (int column = 0; column < kGlyphWidth; ++column) {
        if ((glyph.rows[static_cast<std::size_t>(row)] >> (kGlyphWidth - 1 - column) & 1) == 0) continue;
        const int from_x = left + column * scale, from_y = y + (kMargin + row) * scale;
        fill(image, from_x, from_y, from_x + scale, from_y + scale, colour);
      }
    }
    left += advance;
  }
}

}  // namespace slipway::media
