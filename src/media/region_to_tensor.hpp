#pragma once

#include <memory>
#include <span>

#include "base/error.hpp"
#include "media/draw.hpp"
#include "media/image.hpp"
#include "media/image_to_tensor.hpp"

namespace slipway::media {

/// Maps pixels of a network's input to pixels of an image, both counted at the upper left corner of pixel (0, 0)
/// without the half pixel: input (i, j) reads the image's value at (x, y), as OpenCV's warps do.
struct Affine {
  double xx = 1, xy = 0, x0 = 0;
  double yx = 0, yy = 1, y0 = 0;

  [[nodiscard]] Point apply(Point at) const { return {xx * at.x + xy * at.y + x0, yx * at.x + yy * at.y + y0}; }
  [[nodiscard]] bool is_finite() const;
};

/// What is seen beyond an image's edge.
enum class Border { kZero, kReplicate };

/// How positions become 1/32 pixels: each OpenCV warp has its own way, and results differ by that.
enum class WarpRounding { kWarpPerspective, kWarpAffine };

/// Turns a turned, scaled part of an image into a network's input: sampling, value range, quantisation and axes in one
/// pass; no more than one row of pixels is held in between.
///
/// Sampling is bilinear at positions of 1/32 pixel, rounded to whole pixel values: equal bits to cv2.warpPerspective
/// (or cv2.warpAffine) with INTER_LINEAR and BORDER_CONSTANT (or BORDER_REPLICATE).
/// @thread one object belongs to one thread
/// @cost allocates nothing after create
/// @golden tests/golden/mediapipe_face/warp.npz, made with OpenCV
class RegionToTensor {
 public:
  /// @error as ImageToTensor::create; kInvalidArgument: other channels than RGB
  [[nodiscard]] static base::Result<RegionToTensor> create(const ImageInput& input, Border border,
                                                           WarpRounding rounding);
  ~RegionToTensor();
  RegionToTensor(RegionToTensor&&) noexcept;
  RegionToTensor& operator=(RegionToTensor&&) noexcept;

  /// Bytes of one input.
  [[nodiscard]] std::size_t size_bytes() const;

  /// Writes one input.
  /// @param out  size_bytes() bytes
  /// @error kInvalidArgument: an empty image, a map with values that are not finite, or `out` of another size
  [[nodiscard]] base::Result<void> convert(ImageView image, const Affine& to_image, std::span<std::byte> out);

 private:
  struct State;
  explicit RegionToTensor(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace slipway::media
