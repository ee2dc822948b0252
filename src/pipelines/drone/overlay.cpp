#include "pipelines/drone/overlay.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "pipelines/yolov8/labels.hpp"

namespace slipway::pipelines::drone {
namespace {

constexpr media::Colour kOrange = {255, 150, 0};

media::Colour colour_of(DistanceClass distance) {
  switch (distance) {
    case DistanceClass::kNear:
      return media::kRed;
    case DistanceClass::kMiddle:
      return kOrange;
    case DistanceClass::kFar:
      return media::kGreen;
    case DistanceClass::kUnknown:
      return media::kWhite;
  }
  return media::kWhite;
}

void tint_masks(media::Image& image, const std::vector<yolov8::Mask>& masks) {
  for (const yolov8::Mask& mask : masks) {
    for (int y = std::max(mask.y, 0); y < std::min(mask.y + mask.height, image.height()); ++y) {
      for (int x = std::max(mask.x, 0); x < std::min(mask.x + mask.width, image.width()); ++x) {
        if (!mask.at(x, y)) continue;
        std::uint8_t* pixel = image.row(y) + std::ptrdiff_t{3} * x;
        for (std::size_t c = 0; c < 3; ++c) {
          pixel[c] = static_cast<std::uint8_t>((pixel[c] + media::kYellow[c]) / 2);
        }
      }
    }
  }
}

void draw_sectors(media::Image& image, const Scene& scene, int width) {
  const double height = std::max(6.0, 0.03 * image.height()), top = image.height() - height;
  for (const Sector& sector : scene.sectors) {
    const media::Colour colour = {static_cast<std::uint8_t>(std::lround(230 * (1 - sector.free))),
                                  static_cast<std::uint8_t>(std::lround(210 * sector.free)), 40};
    media::draw_box(image, sector.x1 + 1, top, sector.x2 - 1, image.height(), colour, static_cast<int>(height));
  }
  if (!scene.heading || scene.sectors.empty()) return;
  const Sector& first = scene.sectors[static_cast<std::size_t>(scene.heading->first_sector)];
  const Sector& last = scene.sectors[static_cast<std::size_t>(scene.heading->last_sector)];
  const double x = (first.x1 + last.x2) / 2, reach = 3 * height;
  media::draw_line(image, {x, top}, {x, top - reach}, media::kGreen, 2 * width);
  media::draw_line(image, {x, top - reach}, {x - height / 2, top - reach + height / 2}, media::kGreen, 2 * width);
  media::draw_line(image, {x, top - reach}, {x + height / 2, top - reach + height / 2}, media::kGreen, 2 * width);
  media::draw_text(image, static_cast<int>(x + height / 2), static_cast<int>(top - reach),
                   fmt::format("{:+.0f} deg", scene.heading->degrees), media::kGreen, width);
}

}  // namespace

void draw_scene(media::Image& image, const Scene& scene, const std::vector<std::string>& labels,
                const std::vector<media::Colour>& colours) {
  const int width = media::line_width_for(image.view());
  segmentation::draw_segments(image, scene.map, colours);
  tint_masks(image, scene.masks);
  if (scene.horizon) {
    media::draw_line(image, {0, *scene.horizon}, {1.0 * image.width(), *scene.horizon}, media::kWhite, 1);
  }
  draw_sectors(image, scene, width);
  for (const SceneObject& object : scene.objects) {
    const Box& box = object.box;
    media::draw_box(image, box.x1, box.y1, box.x2, box.y2, colour_of(object.distance.distance),
                    object.is_detected ? width : std::max(1, width / 2));
  }
  // Labels last, so that no box crosses them.
  for (const SceneObject& object : scene.objects) {
    const Surface under = main_surface(object.under);
    const std::string text =
        fmt::format("{} {:.2f} {}{}{}", yolov8::label_of(labels, object.class_id), object.score,
                    distance_name(object.distance.distance), under == Surface::kUnknown ? "" : " on ",
                    under == Surface::kUnknown ? "" : surface_name(under));
    media::draw_text(image, static_cast<int>(object.box.x1),
                     static_cast<int>(object.box.y1) - media::text_height(width), text,
                     colour_of(object.distance.distance), width);
  }
}

}  // namespace slipway::pipelines::drone
