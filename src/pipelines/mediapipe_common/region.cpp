#include "pipelines/mediapipe_common/region.hpp"

#include <algorithm>
#include <cmath>

namespace slipway::pipelines::mediapipe {

double angle_between(media::Point start, media::Point end) {
  return std::atan2(end.y - start.y, end.x - start.x);
}

Region square_region(const Box& box, double angle, double scale) {
  const double side = std::max(box.x2 - box.x1, box.y2 - box.y1) * scale;
  return {{(box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2}, side, side, angle};
}

Region letterbox_region(int picture_width, int picture_height) {
  const double side = std::max(picture_width, picture_height);
  return {{picture_width / 2.0, picture_height / 2.0}, side, side, 0};
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

Box upright_box(const Region& region) {
  return {region.centre.x - region.width / 2, region.centre.y - region.height / 2, region.centre.x + region.width / 2,
          region.centre.y + region.height / 2};
}

}  // namespace slipway::pipelines::mediapipe
