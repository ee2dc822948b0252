#include "pipelines/drone/overlay.hpp"

#include <algorithm>
#include <cmath>

#include "media/draw.hpp"
#include "media/labels.hpp"

namespace slipway::pipelines::drone {
namespace {

void tint_mask(media::Image& image, const yolov8::Mask& mask, media::Colour colour) {
  for (int y = std::max(mask.y, 0); y < std::min(mask.y + mask.height, image.height()); ++y) {
    for (int x = std::max(mask.x, 0); x < std::min(mask.x + mask.width, image.width()); ++x) {
      if (!mask.at(x, y)) continue;
      std::uint8_t* pixel = image.row(y) + std::ptrdiff_t{3} * x;
      for (std::size_t c = 0; c < 3; ++c) pixel[c] = static_cast<std::uint8_t>((pixel[c] + colour[c]) / 2);
    }
  }
}

void fill(media::Image& image, int x1, int y1, int x2, int y2, media::Colour colour) {
  for (int y = std::max(y1, 0); y < std::min(y2, image.height()); ++y) {
    for (int x = std::max(x1, 0); x < std::min(x2, image.width()); ++x) {
      std::copy_n(colour.data(), 3, image.row(y) + std::ptrdiff_t{3} * x);
    }
  }
}

/// Red where nothing is free, green where all is.
media::Colour colour_of_free(double free) {
  const double share = std::clamp(free, 0.0, 1.0);
  return {static_cast<std::uint8_t>(std::lround(225 - 190 * share)),
          static_cast<std::uint8_t>(std::lround(45 + 155 * share)), 60};
}

int bar_height(const media::Image& image) {
  return std::max(6, static_cast<int>(0.03 * image.height()));
}

/// What the colours of the bar mean: "blocked", a run of colours, "free". Above the bar, at the left or the right.
void draw_legend(media::Image& image, int bottom, bool is_right, int size, media::Labels& labels) {
  constexpr media::Colour kPlate = {24, 24, 24};
  const media::TextExtent blocked = media::extent_of("blocked", size), free = media::extent_of("free", size);
  const int swatch = 3 * size, width = blocked.width + swatch + free.width, top = bottom - blocked.height;
  if (width > image.width() / 2 || top < 0) return;  // there is no room for words
  const int left = is_right ? image.width() - width : 0, run = left + blocked.width;
  fill(image, left, top, left + width, bottom, kPlate);
  media::draw_plain_text(image, left, top, "blocked", media::kWhite, size);
  media::draw_plain_text(image, run + swatch, top, "free", media::kWhite, size);
  const int inset = std::max(1, blocked.height / 4);
  for (int i = 0; i < swatch; ++i) {
    fill(image, run + i, top + inset, run + i + 1, bottom - inset,
         colour_of_free(static_cast<double>(i) / std::max(1, swatch - 1)));
  }
  labels.reserve(left, top, width, blocked.height);
}

/// The bar of sectors at the lower edge, what it means, and an arrow to the free heading.
void draw_sectors(media::Image& image, const Scene& scene, int width, int size, media::Labels& labels) {
  if (scene.sectors.empty()) return;
  const int height = bar_height(image), top = image.height() - height;
  constexpr media::Colour kGround = {24, 24, 24};
  fill(image, 0, top - 1, image.width(), image.height(), kGround);
  for (const Sector& sector : scene.sectors) {
    fill(image, static_cast<int>(std::lround(sector.x1)), top, static_cast<int>(std::lround(sector.x2)) - 1,
         image.height(), colour_of_free(sector.free));
  }
  labels.reserve(0, top - 1, image.width(), height + 1);
  const bool is_left = scene.heading && scene.heading->degrees < 0;
  draw_legend(image, top - 1, is_left, size, labels);
  if (!scene.heading) return;
  const Sector& first = scene.sectors[static_cast<std::size_t>(scene.heading->first_sector)];
  const Sector& last = scene.sectors[static_cast<std::size_t>(scene.heading->last_sector)];
  const double x = (first.x1 + last.x2) / 2, reach = 3.0 * height, point = top - 2 - reach;
  const int line = 2 * width;
  const media::Colour colour = colour_of_free(1);
  media::draw_line(image, {x, top - 2.0}, {x, point}, colour, line);
  media::draw_line(image, {x, point}, {x - 0.6 * height, point + 0.6 * height}, colour, line);
  media::draw_line(image, {x, point}, {x + 0.6 * height, point + 0.6 * height}, colour, line);
  const int beside = static_cast<int>(std::lround(x + 0.6 * height)) + line;
  const media::LabelText text("free way {:+.0f}°", scene.heading->degrees);
  labels.add(beside, point + size, beside, point + size, text.text(), colour);
}

}  // namespace

void draw_scene(media::Image& image, const Scene& scene, const std::vector<std::string>& labels,
                const std::vector<media::Colour>& colours) {
  const int width = media::line_width_for(image.view()), size = media::text_size_for(image.view());
  segmentation::draw_segments(image, scene.map, colours);
  for (const yolov8::Mask& mask : scene.masks) tint_mask(image, mask, media::kYellow);
  if (scene.horizon) {
    media::draw_line(image, {0, *scene.horizon}, {1.0 * image.width(), *scene.horizon}, media::kWhite, 1);
  }
  for (const SceneObject& object : scene.objects) {
    const Box& box = object.box;
    media::draw_box(image, box.x1, box.y1, box.x2, box.y2, media::colour_of_class(object.class_id),
                    object.is_detected ? width : std::max(1, width / 2));
  }
  // Labels last, so that no box crosses them; the bar first, which they leave free.
  media::Labels places(image, size);
  draw_sectors(image, scene, width, size, places);
  for (const SceneObject& object : scene.objects) {
    places.spare(object.box.x1, object.box.y1, object.box.x2, object.box.y2);
  }
  for (const SceneObject& object : scene.objects) {
    const auto id = static_cast<std::size_t>(object.class_id);
    media::LabelText text("{:.2f}", object.score);
    if (id < labels.size()) {
      text = media::LabelText("{} {:.2f}", labels[id], object.score);
    } else {
      text = media::LabelText("class {} {:.2f}", object.class_id, object.score);
    }
    if (object.distance.distance != DistanceClass::kUnknown)
      text.append(" {}", distance_name(object.distance.distance));
    if (const Surface under = main_surface(object.under); under != Surface::kUnknown) {
      text.append(" on {}", surface_name(under));
    }
    const Box& box = object.box;
    places.add(box.x1, box.y1, box.x2, box.y2, text.text(), media::colour_of_class(object.class_id));
  }
}

}  // namespace slipway::pipelines::drone
