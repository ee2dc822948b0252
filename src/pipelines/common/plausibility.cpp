#include "pipelines/common/plausibility.hpp"

#include <algorithm>
#include <cmath>

namespace slipway::pipelines {

base::Result<void> Plausibility::check_score(double score) const {
  constexpr double kRounding = 0.02;
  if (!(score < -kRounding) && !(score > 1 + kRounding)) return {};
  return refuse(fmt::format("a score of {:.2f}, expected 0 to 1", score));
}

base::Result<void> Plausibility::check_has_numbers(bool has_numbers) const {
  if (has_numbers) return {};
  return refuse("scores that are all infinite or NaN, expected numbers");
}

base::Result<void> Plausibility::check_box(const Box& box, double width, double height) const {
  constexpr double kTimes = 4;
  const bool is_beyond = std::max(std::abs(box.x1), std::abs(box.x2)) > kTimes * width ||
                         std::max(std::abs(box.y1), std::abs(box.y2)) > kTimes * height;
  if (!is_beyond) return {};
  return refuse(
      fmt::format("a box from ({:.0f}, {:.0f}) to ({:.0f}, {:.0f}), expected one near the picture's {:.0f} x {:.0f}",
                  box.x1, box.y1, box.x2, box.y2, width, height));
}

std::unexpected<base::Error> Plausibility::refuse(const std::string& found) const {
  return base::fail(base::Code::kInvalidArgument,
                    "picture {}: the network gives {}: its shapes are those of {}, but it is another one. Name such a "
                    "network, or give this one to the program that it was made for",
                    images_, found, what_);
}

}  // namespace slipway::pipelines
