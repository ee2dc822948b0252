#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "media/image.hpp"

namespace slipway::media {

using Colour = std::array<std::uint8_t, 3>;  ///< R, G, B

struct Point {
  double x = 0;
  double y = 0;
};

inline constexpr Colour kGreen = {0, 230, 64};
inline constexpr Colour kRed = {255, 64, 48};
inline constexpr Colour kYellow = {255, 220, 0};
inline constexpr Colour kWhite = {255, 255, 255};
inline constexpr Colour kBlack = {0, 0, 0};

/// Line width that is visible on an image of this size: 1 up to 480 pixels of the shorter side, then more.
[[nodiscard]] int line_width_for(ImageView image);

// All shapes may lie partly or wholly outside, or have corners that are not finite: what is outside is not drawn.
// Coordinates are pixels, x right, y down; a pixel covers [x, x + 1).

/// The outline of a rectangle, drawn inwards.
void draw_box(Image& image, double x1, double y1, double x2, double y2, Colour colour, int line_width);

/// A filled disc.
void draw_point(Image& image, Point centre, int radius, Colour colour);

/// A straight line with round ends.
void draw_line(Image& image, Point from, Point to, Colour colour, int line_width);

/// Lines from point to point, and back to the first when `closed`.
void draw_polyline(Image& image, std::span<const Point> points, bool closed, Colour colour, int line_width);

}  // namespace slipway::media
