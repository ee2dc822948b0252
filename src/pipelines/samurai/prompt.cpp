#include "pipelines/samurai/prompt.hpp"

#include <algorithm>
#include <cmath>

namespace slipway::pipelines::samurai {

using base::Code;
using base::fail;

base::Result<Prompt> checked_prompt(const Prompt& prompt, int width, int height, int places) {
  Prompt checked = prompt;
  if (!prompt.box && prompt.points.empty() && !prompt.mask) {
    return fail(Code::kInvalidArgument, "no object was shown: a prompt is a box, points, or a mask");
  }
  if (prompt.mask) {
    if (prompt.box || !prompt.points.empty()) {
      return fail(Code::kInvalidArgument, "a mask stands alone: it cannot be joined with a box or points");
    }
    if (prompt.mask->width != width || prompt.mask->height != height) {
      return fail(Code::kInvalidArgument, "the mask is {}x{}, the first frame {}x{}: they must have one size",
                  prompt.mask->width, prompt.mask->height, width, height);
    }
    if (std::ranges::all_of(prompt.mask->pixels, [](std::uint8_t value) { return value == 0; })) {
      return fail(Code::kInvalidArgument, "the mask is black: it shows no object (any value but 0 is the object)");
    }
  }
  if (checked.box) {
    const Box& box = *checked.box;
    if (!std::isfinite(box.x1) || !std::isfinite(box.y1) || !std::isfinite(box.x2) || !std::isfinite(box.y2) ||
        box.x2 <= box.x1 || box.y2 <= box.y1) {
      return fail(Code::kInvalidArgument, "the box {},{} of {}x{} has no area: width and height must be above 0",
                  box.x1, box.y1, box.x2 - box.x1, box.y2 - box.y1);
    }
    if (box.x1 >= width || box.y1 >= height || box.x2 <= 0 || box.y2 <= 0) {
      return fail(Code::kInvalidArgument, "the box from {},{} to {},{} lies outside the first frame, which is {}x{}",
                  box.x1, box.y1, box.x2, box.y2, width, height);
    }
  }
  for (const PromptPoint& point : prompt.points) {
    if (!(point.x >= 0 && point.x < width && point.y >= 0 && point.y < height)) {
      return fail(Code::kInvalidArgument, "the point {},{} lies outside the first frame, which is {}x{}", point.x,
                  point.y, width, height);
    }
  }
  // One place is left for the end mark.
  const std::size_t used = prompt.points.size() + (prompt.box ? 2 : 0);
  if (used + 1 > static_cast<std::size_t>(places)) {
    return fail(Code::kInvalidArgument, "{} points (a box counts as two), but this model takes {}", used, places - 1);
  }
  return checked;
}

EncodedPoints encode_points(const Prompt& prompt, int places, double scale_x, double scale_y, float absent_label) {
  EncodedPoints encoded;
  const auto add = [&](double x, double y, float label) {
    encoded.xy.push_back(static_cast<float>(x * scale_x));
    encoded.xy.push_back(static_cast<float>(y * scale_y));
    encoded.labels.push_back(label);
  };
  if (prompt.box) {
    add(prompt.box->x1, prompt.box->y1, kUpperLeft);
    add(prompt.box->x2, prompt.box->y2, kLowerRight);
  }
  for (const PromptPoint& point : prompt.points) {
    add(point.x, point.y, point.is_positive ? kPositivePoint : kNegativePoint);
  }
  const std::size_t wanted = static_cast<std::size_t>(places);
  // A tracked frame has no point at all, which is a "no point" and the end mark.
  if (encoded.labels.empty()) add(0, 0, kNoPoint);
  if (encoded.labels.size() < wanted) add(0, 0, kNoPoint);
  while (encoded.labels.size() < wanted) add(0, 0, absent_label);
  return encoded;
}

}  // namespace slipway::pipelines::samurai
