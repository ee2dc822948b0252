#include "media/draw.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

namespace slipway::media {
namespace {

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
  if (x1 >= x2 || y1 >= y2) return;
  constexpr int kNarrow = 16;
  if (x2 - x1 < kNarrow) {
    for (int y = y1; y < y2; ++y) {
      std::uint8_t* to = image.row(y) + std::ptrdiff_t{3} * x1;
      for (int x = x1; x < x2; ++x, to += 3) std::copy_n(colour.data(), 3, to);
    }
    return;
  }
  // One row by pixels, the others by bytes.
  const std::uint8_t* const first = image.row(y1) + std::ptrdiff_t{3} * x1;
  std::uint8_t* to = image.row(y1) + std::ptrdiff_t{3} * x1;
  for (int x = x1; x < x2; ++x, to += 3) std::copy_n(colour.data(), 3, to);
  const std::size_t bytes = std::size_t{3} * static_cast<std::size_t>(x2 - x1);
  for (int y = y1 + 1; y < y2; ++y) std::memcpy(image.row(y) + std::ptrdiff_t{3} * x1, first, bytes);
}

double square(double value) {
  return value * value;
}

constexpr int kWhole = 256;

/// @param share  of kWhole
void mix(std::uint8_t* pixel, Colour colour, int share) {
  for (std::size_t c = 0; c < 3; ++c) {
    pixel[c] = static_cast<std::uint8_t>((pixel[c] * (kWhole - share) + colour[c] * share + kWhole / 2) / kWhole);
  }
}

/// @param coverage  above 1: whole; below 0: nothing @pre inside the image
void blend(Image& image, int x, int y, Colour colour, double coverage) {
  if (coverage <= 0) return;
  std::uint8_t* const to = image.row(y) + std::ptrdiff_t{3} * x;
  if (coverage >= 1) {
    std::copy_n(colour.data(), 3, to);
    return;
  }
  mix(to, colour, static_cast<int>(coverage * kWhole));
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
  if (radius == 0) return fill(image, x, y, x + 1, y + 1, colour);
  const int top = std::max(y - radius, 0), bottom = std::min(y + radius, image.height() - 1);
  const int left = std::max(x - radius, 0), right = std::min(x + radius, image.width() - 1);
  // In whole numbers: only at the edge, between the circles half a pixel within and outside, does it matter how far.
  const std::int64_t wide = radius;
  const std::int64_t outer = wide * wide + wide, inner = wide * wide - wide;
  const auto share_at = [&](std::int64_t squared) {
    const double coverage = radius + 0.5 - std::sqrt(static_cast<double>(squared));
    return std::clamp(static_cast<int>(coverage * kWhole), 0, kWhole);
  };
  std::array<int, 32> shares = {};  // of the few distances that a small disc's edge has
  const bool is_small = 2 * wide <= std::ssize(shares);
  for (std::int64_t i = 0; is_small && i < 2 * wide; ++i) shares[static_cast<std::size_t>(i)] = share_at(inner + 1 + i);
  for (int row = top; row <= bottom; ++row) {
    const std::int64_t above = row - y;
    std::uint8_t* to = image.row(row) + std::ptrdiff_t{3} * left;
    for (int column = left; column <= right; ++column, to += 3) {
      const std::int64_t beside = column - x, squared = above * above + beside * beside;
      if (squared > outer) continue;
      if (squared <= inner) {
        std::copy_n(colour.data(), 3, to);
      } else {
        mix(to, colour, is_small ? shares[static_cast<std::size_t>(squared - inner - 1)] : share_at(squared));
      }
    }
  }
}

void draw_line(Image& image, Point from, Point to, Colour colour, int line_width) {
  if (!all_finite({from.x, from.y, to.x, to.y})) return;
  if (!clip_line(from, to, image.width(), image.height(), line_width)) return;
  // Along its longer direction: the few pixels across are covered by how near they are to the line.
  const bool is_steep = std::abs(to.y - from.y) > std::abs(to.x - from.x);
  if (is_steep) {
    std::swap(from.x, from.y);
    std::swap(to.x, to.y);
  }
  if (from.x > to.x) std::swap(from, to);
  from = {std::floor(from.x), std::floor(from.y)};
  to = {std::floor(to.x), std::floor(to.y)};
  const double dx = to.x - from.x, dy = to.y - from.y, length = std::sqrt(dx * dx + dy * dy);
  const double half = line_width / 2.0;
  const double slope = dx > 0 ? dy / dx : 0, across = dx > 0 ? half * length / dx : half;
  const int end = is_steep ? image.height() : image.width(), rows = is_steep ? image.width() : image.height();
  const int ends = (line_width - 1) / 2;  // round, where there is room for it
  const int first = std::max(0, static_cast<int>(from.x) - ends);
  const int last = std::min(end - 1, static_cast<int>(to.x) + ends);
  const double per_length = length > 0 ? 1 / length : 0, cosine = dx * per_length;
  for (int along = first; along <= last; ++along) {
    const double middle = from.y + slope * (along - from.x);
    // Rounded without a call: a row too many is not covered.
    const int low = std::max(0, static_cast<int>(middle - across));
    const int high = std::min(rows - 1, static_cast<int>(middle + across) + 1);
    if (along - from.x > across + 2 && to.x - along > across + 2) {  // away from both ends only the line itself is near
      for (int row = low; row <= high; ++row) {
        blend(image, is_steep ? row : along, is_steep ? along : row, colour,
              half + 0.5 - std::abs(row - middle) * cosine);
      }
      continue;
    }
    for (int row = low; row <= high; ++row) {
      const double before = along - from.x, beside = row - from.y;
      const double passed = (before * dx + beside * dy) * per_length;  // of the length
      const double away = passed <= 0        ? std::sqrt(square(before) + square(beside))
                          : passed >= length ? std::sqrt(square(before - dx) + square(beside - dy))
                                             : std::abs(before * dy - beside * dx) * per_length;
      blend(image, is_steep ? row : along, is_steep ? along : row, colour, half + 0.5 - away);
    }
  }
}

void draw_polyline(Image& image, std::span<const Point> points, bool closed, Colour colour, int line_width) {
  for (std::size_t i = 1; i < points.size(); ++i) draw_line(image, points[i - 1], points[i], colour, line_width);
  if (closed && points.size() > 2) draw_line(image, points.back(), points.front(), colour, line_width);
}

}  // namespace slipway::media
