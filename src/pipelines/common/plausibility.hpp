#pragma once

#include <string>
#include <utility>

#include "base/error.hpp"
#include "pipelines/common/box.hpp"

namespace slipway::pipelines {

/// Whether a network says what its pipeline takes it to say: another one may have the same shapes. The first images are
/// looked at.
/// @thread one object belongs to one thread
class Plausibility {
 public:
  /// @param what  the networks that the pipeline takes: "YOLOv8 detectors"
  explicit Plausibility(std::string what) : what_(std::move(what)) {}

  /// Call at each image. @return whether it is one of the first
  bool begin_image() { return ++images_ <= kImages; }

  /// @param score  what is to lie in 0 … 1; a little beyond is rounding
  /// @error kInvalidArgument: it does not
  [[nodiscard]] base::Result<void> check_score(double score) const;
  /// @param has_numbers  whether any score of the image is a finite number
  /// @error kInvalidArgument: none is, so "nothing was found" would be no answer
  [[nodiscard]] base::Result<void> check_has_numbers(bool has_numbers) const;
  /// @param box  in pixels of an image (or an input) of this size
  /// @error kInvalidArgument: it reaches beyond four times the image
  [[nodiscard]] base::Result<void> check_box(const Box& box, double width, double height) const;

 private:
  static constexpr int kImages = 10;

  [[nodiscard]] std::unexpected<base::Error> refuse(const std::string& found) const;

  std::string what_;
  int images_ = 0;
};

}  // namespace slipway::pipelines
