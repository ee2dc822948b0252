#include "pipelines/samurai/overlay.hpp"

#include "media/draw.hpp"
#include "media/labels.hpp"

namespace slipway::pipelines::samurai {
namespace {

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
    if (mask.area > 0) tint(image, mask, media::colour_of_class(static_cast<int>(i)));
  }
  for (std::size_t i = 0; i < result.objects.size(); ++i) {
    const ObjectResult& object = result.objects[i];
    if (object.mask.area == 0) continue;
    const Box& box = object.mask.box;
    const media::Colour colour = media::colour_of_class(static_cast<int>(i));
    media::draw_box(image, box.x1, box.y1, box.x2, box.y2, colour, width);
  }
  // Labels last, so that no box crosses them.
  media::Labels labels(image, media::text_size_for(image.view()));
  for (std::size_t i = 0; i < result.objects.size(); ++i) {
    const ObjectResult& object = result.objects[i];
    if (object.mask.area == 0) continue;
    const Box& box = object.mask.box;
    labels.add(box.x1, box.y1, box.x2, box.y2, media::LabelText("#{} {:.2f}", i + 1, object.predicted_iou).text(),
               media::colour_of_class(static_cast<int>(i)));
  }
}

}  // namespace slipway::pipelines::samurai
