#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/error.hpp"
#include "media/image_memory.hpp"

namespace slipway::media {

/// An image somebody else owns: u8 RGB, rows of `width` pixels that start `stride_bytes` apart.
struct ImageView {
  const std::uint8_t* data = nullptr;
  int width = 0;
  int height = 0;
  std::ptrdiff_t stride_bytes = 0;

  [[nodiscard]] const std::uint8_t* row(int y) const { return data + y * stride_bytes; }
  [[nodiscard]] bool empty() const { return width <= 0 || height <= 0; }
};

/// An owned u8 RGB image, rows without gaps. Moves and copies are explicit: clone() copies.
class Image {
 public:
  Image() = default;

  /// A black image.
  /// @error kInvalidArgument: a side below 1; kResourceExhausted: no memory for it
  [[nodiscard]] static base::Result<Image> create(int width, int height);

  Image(Image&&) noexcept = default;
  Image& operator=(Image&&) noexcept = default;

  [[nodiscard]] int width() const { return width_; }
  [[nodiscard]] int height() const { return height_; }
  [[nodiscard]] std::ptrdiff_t stride_bytes() const { return std::ptrdiff_t{width_} * 3; }
  [[nodiscard]] std::uint8_t* row(int y) { return pixels_.data() + y * stride_bytes(); }
  [[nodiscard]] const std::uint8_t* row(int y) const { return pixels_.data() + y * stride_bytes(); }
  [[nodiscard]] ImageView view() const { return {pixels_.data(), width_, height_, stride_bytes()}; }
  [[nodiscard]] Image clone() const;

  /// Takes another size and keeps the memory when it is enough; what the pixels hold afterwards is not said.
  /// @error as create
  [[nodiscard]] base::Result<void> resize(int width, int height);

 private:
  int width_ = 0;
  int height_ = 0;
  std::vector<std::uint8_t, ImageMemory<std::uint8_t>> pixels_;
};

/// An owned copy of a view.
/// @error as Image::create
[[nodiscard]] base::Result<Image> copy_of(ImageView view);

/// How stored pixels have to be turned to stand upright: the values of EXIF's orientation tag (1: as they are).
enum class Orientation : std::uint8_t {
  kUpright = 1,
  kMirrored = 2,
  kUpsideDown = 3,
  kFlipped = 4,
  kTransposed = 5,
  kQuarterRight = 6,  ///< turn right by 90° to show
  kTransversed = 7,
  kQuarterLeft = 8,
};

/// Writes the image as it is meant to be seen into `turned`, whose memory is kept when it is enough.
/// @error kResourceExhausted
[[nodiscard]] base::Result<void> turn_upright(ImageView image, Orientation orientation, Image& turned);

/// The same with a value; costs nothing when the image is upright already.
[[nodiscard]] base::Result<Image> upright(Image image, Orientation orientation);

}  // namespace slipway::media
