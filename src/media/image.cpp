#include "media/image.hpp"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

namespace slipway::media {

base::Result<Image> Image::create(int width, int height) {
  Image image;
  SLIPWAY_TRY(image.resize(width, height));
  return image;
}

base::Result<void> Image::resize(int width, int height) {
  if (width < 1 || height < 1) {
    return base::fail(base::Code::kInvalidArgument, "a picture of {}x{} pixels: both sides must be 1 or more", width,
                      height);
  }
  try {
    pixels_.resize(std::size_t{3} * static_cast<std::size_t>(width) * static_cast<std::size_t>(height));
  } catch (const std::exception&) {
    return base::fail(base::Reason::kOutOfMemory, "no memory for a picture of {}x{} pixels", width, height);
  }
  width_ = width;
  height_ = height;
  return {};
}

Image Image::clone() const {
  Image copy;
  copy.width_ = width_;
  copy.height_ = height_;
  copy.pixels_ = pixels_;
  return copy;
}

base::Result<Image> copy_of(ImageView view) {
  SLIPWAY_ASSIGN(Image image, Image::create(view.width, view.height));
  for (int y = 0; y < view.height; ++y) {
    std::memcpy(image.row(y), view.row(y), static_cast<std::size_t>(image.stride_bytes()));
  }
  return image;
}

base::Result<void> turn_upright(ImageView image, Orientation orientation, Image& turned) {
  const auto tag = static_cast<int>(orientation);
  const bool swaps_sides = tag >= 5;
  const int width = swaps_sides ? image.height : image.width;
  const int height = swaps_sides ? image.width : image.height;
  SLIPWAY_TRY(turned.resize(width, height));
  // Stored position of the shown pixel (x, y): along stored columns and rows, each perhaps counted from the far end.
  const bool from_right = tag == 2 || tag == 3 || tag == 7 || tag == 8;
  const bool from_bottom = tag == 3 || tag == 4 || tag == 6 || tag == 7;
  for (int y = 0; y < height; ++y) {
    std::uint8_t* to = turned.row(y);
    for (int x = 0; x < width; ++x, to += 3) {
      const int column = swaps_sides ? y : x;
      const int row = swaps_sides ? x : y;
      const std::uint8_t* from = image.row(from_bottom ? image.height - 1 - row : row) +
                                 std::ptrdiff_t{3} * (from_right ? image.width - 1 - column : column);
      std::copy_n(from, 3, to);
    }
  }
  return {};
}

base::Result<Image> upright(Image image, Orientation orientation) {
  if (orientation == Orientation::kUpright) return image;
  Image turned;
  SLIPWAY_TRY(turn_upright(image.view(), orientation, turned));
  return turned;
}

}  // namespace slipway::media
