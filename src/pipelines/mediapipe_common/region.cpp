#include "pipelines/mediapipe_common/region.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace slipway::pipelines::mediapipe {

double angle_between(media::Point start, media::Point end) {
  return std::atan2(end.y - start.y, end.x - start.x);
}

double angle_upright(media::Point start, media::Point end) {
  constexpr double kTurn = 2 * std::numbers::pi;
  const double angle = std::numbers::pi / 2 + angle_between(start, end);
  return angle - kTurn * std::floor((angle + std::numbers::pi) / kTurn);
}

Region moved_square(const Region& region, double right, double down, double scale) {
  const double cosine = std::cos(region.angle), sine = std::sin(region.angle);
  const double x = right * region.width, y = down * region.height;
  const double side = std::max(region.width, region.height) * scale;
  return {{region.centre.x + cosine * x - sine * y, region.centre.y + sine * x + cosine * y}, side, side, region.angle};
}

Region square_region(const Box& box, double angle, double scale) {
  const double side = std::max(box.x2 - box.x1, box.y2 - box.y1) * scale;
  return {{(box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2}, side, side, angle};
}

Region letterbox_region(int image_width, int image_height) {
  const double side = std::max(image_width, image_height);
  return {{image_width / 2.0, image_height / 2.0}, side, side, 0};
}

media::Affine crop_map(const Region& region, double columns, double rows) {
  const double cosine = std::cos(region.angle), sine = std::sin(region.angle);
  const double across = region.width / columns, down = region.height / rows;
  media::Affine map{cosine * across, -sine * down, 0, sine * across, cosine * down, 0};
  const media::Point middle = map.apply({columns / 2, rows / 2});
  map.x0 = region.centre.x - middle.x;
  map.y0 = region.centre.y - middle.y;
  return map;
}

bool has_area(const Region& region) {
  return region.width > 0 && region.height > 0 && crop_map(region, 1, 1).is_finite();
}

Box upright_box(const Region& region) {
  return {region.centre.x - region.width / 2, region.centre.y - region.height / 2, region.centre.x + region.width / 2,
          region.centre.y + region.height / 2};
}

}  // namespace slipway::pipelines::mediapipe
