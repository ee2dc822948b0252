#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/error.hpp"
#include "media/image.hpp"

namespace slipway::pipelines::samurai {

/// Stretches images to a square as SAMURAI's own loader does with folders of images: bicubic with antialias, 8-bit
/// after each of the two passes, whatever the sides' proportions.
///
/// The result is bit for bit that of Pillow's `resize(…)` as it is by default, columns first, then rows.
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

 private:
  /// For each output place: where its source values begin, how many there are, and their weights.
  struct Taps {
    int source = 0;
    int longest = 0;
    std::vector<int> first, count;
    std::vector<std::int32_t> weights;  ///< [place][longest], in units of 2^-22
    void make(int from, int to);
  };

  /// Fills square_, interleaved.
  void resize(media::ImageView image);

  int side_;
  Taps columns_, rows_;
  std::vector<std::uint8_t> narrowed_;  ///< source rows at the output's width
  std::vector<std::uint8_t> square_;
  std::vector<std::int32_t> sums_;
};

}  // namespace slipway::pipelines::samurai
