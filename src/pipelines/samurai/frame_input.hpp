#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/error.hpp"
#include "media/image.hpp"

namespace slipway::pipelines::samurai {

/// Stretches images to a square as SAM 2's own preparation does: bilinear with antialias, 8-bit after each of the two
/// passes, whatever the sides' proportions.
///
/// The result is bit for bit that of Pillow's `resize(…, BILINEAR)`, columns first, then rows. torchvision's weights
/// are coarser: one value in 25 differs from it, by 1 of 255.
/// @thread one object belongs to one thread
/// @cost   after the first image of a size, no memory is allocated for further ones of that size
/// @golden tests/golden/samurai/resize.npz, made with Pillow
class SquareResize {
 public:
  /// @pre side is 1 or more
  explicit SquareResize(int side) : side_(side) {}

  /// Writes `[3][side][side]` floats in [0, 1].
  /// @error kInvalidArgument: an empty image
  [[nodiscard]] base::Result<void> to_planes(media::ImageView image, std::span<float> planes);

  /// The same for one channel: `[side][side]` of 0 … 255.
  /// @param grey  width × height values, without gaps
  void resize_grey(std::span<const std::uint8_t> grey, int width, int height, std::span<std::uint8_t> out);

 private:
  /// For each output place: where its source values begin, how many there are, and their weights.
  struct Taps {
    int source = 0;
    int longest = 0;
    std::vector<int> first, count;
    std::vector<std::int32_t> weights;  ///< [place][longest], in units of 2^-22
    void make(int from, int to);
  };

  /// Fills square_, interleaved, of `channels` channels.
  template <int kChannels>
  void resize(const std::uint8_t* data, std::ptrdiff_t stride_bytes, int width, int height);

  int side_;
  Taps columns_, rows_;
  std::vector<std::uint8_t> narrowed_;  ///< source rows at the output's width
  std::vector<std::uint8_t> square_;
  std::vector<std::int32_t> sums_;
};

}  // namespace slipway::pipelines::samurai
