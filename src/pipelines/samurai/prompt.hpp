#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/error.hpp"
#include "pipelines/common/box.hpp"

namespace slipway::pipelines::samurai {

/// A place on the first frame that belongs to the object, or does not.
struct PromptPoint {
  double x = 0;  ///< in pixels of the frame
  double y = 0;
  bool is_positive = true;
};

/// A black and white image of the object on the first frame.
struct PromptMask {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> pixels;  ///< not 0: the object; rows without gaps
};

/// How the object to follow is shown: a box with or without points, points alone, or a mask alone.
struct Prompt {
  std::optional<Box> box;  ///< upper left and lower right corner, in pixels of the frame
  std::vector<PromptPoint> points;
  std::optional<PromptMask> mask;
};

/// Checks a prompt against its frame. A box that hangs over the edge is taken as given.
/// @param places  points the network takes; a box counts as two
/// @return the prompt as it is to be used
/// @error kInvalidArgument: nothing shown, a box without area or outside the frame, a point outside, a mask of another
///        size or without object, or more than the network takes (the message says what was expected and found)
[[nodiscard]] base::Result<Prompt> checked_prompt(const Prompt& prompt, int width, int height, int places);

/// Points as the prompt encoder takes them.
struct EncodedPoints {
  std::vector<float> xy;  ///< [places][2], in pixels of the network's square
  std::vector<float> labels;
};

inline constexpr float kNegativePoint = 0, kPositivePoint = 1, kUpperLeft = 2, kLowerRight = 3, kNoPoint = -1;

/// Encodes points and box; without either the empty prompt of tracked frames. The end is marked by one "no point", the
/// rest is absent.
/// @param places  points the graph takes
/// @param scale_x, scale_y  from the frame's pixels to the network's
[[nodiscard]] EncodedPoints encode_points(const Prompt& prompt, int places, double scale_x, double scale_y,
                                          float absent_label);

}  // namespace slipway::pipelines::samurai
