#include "pipelines/samurai/overlay.hpp"

#include <array>

#include "media/draw.hpp"

namespace slipway::pipelines::samurai {
namespace {

constexpr std::array<media::Colour, 6> kColours = {
    {{0, 230, 64}, {255, 96, 32}, {64, 144, 255}, {255, 220, 0}, {224, 64, 224}, {0, 220, 220}}};

/// Half image, half colour.
void tint(media::Image& image, const Mask& mask, media::Colour colour) {
  for (int y = 0; y < mask.height; ++y) {
    const std::uint8_t* inside = mask.pixels.data() + static_cast<std::ptrdiff_t>(y) * mask.width;
    std::uint8_t* pixel = image.row(y);
    for (int x = 0; x < mask.width; ++x, pixel += 3) {
      if (inside[x] == 0) continue;
      for (std::size_t c = 0; c < 3; ++c) pixel[c] = static_cast<std::uint8_t>((pixel[c] + colour[c]) / 2);
    }
  }
}

}  // namespace

void draw_objects(media::Image& image, const FrameResult& result) {
  const int width = media::line_width_for(image.view());
  for (std::size_t i = 0; i < result.objects.size(); ++i) {
    const Mask& mask = result.objects[i].mask;
    SLIPWAY_CHECK(mask.width == image.width() && mask.height == image.height(), "the mask is this picture's");
    if (mask.area > 0) tint(image, mask, kColours[i % kColours.size()]);
  }
  for (std::size_t i = 0; i < result.objects.size(); ++i) {
    const ObjectResult& object = result.objects[i];
    if (object.mask.area == 0) continue;
    const Box& box = object.mask.box;
    const media::Colour colour = kColours[i % kColours.size()];
    media::draw_box(image, box.x1, box.y1, box.x2, box.y2, colour, width);
    media::draw_text(image, static_cast<int>(box.x1), static_cast<int>(box.y1) - media::text_height(width),
                     fmt::format("#{} {:.2f}", i + 1, object.predicted_iou), colour, width);
  }
}

}  // namespace slipway::pipelines::samurai
