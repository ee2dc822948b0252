#include "pipelines/samurai/frame_input.hpp"

#include <algorithm>
#include <cmath>

namespace slipway::pipelines::samurai {
namespace {

constexpr int kPrecisionBits = 22;
constexpr std::int32_t kHalf = 1 << (kPrecisionBits - 1);

constexpr std::size_t kChannels = 3;
constexpr double kRadius = 2;  // of the kernel, in pixels of the coarser image

/// Keys' cubic kernel with a = -0.5.
double cubic(double distance) {
  constexpr double kA = -0.5;
  const double x = std::abs(distance);
  if (x < 1) return ((kA + 2) * x - (kA + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * kA;
  return 0;
}

std::uint8_t clipped(std::int32_t sum) {
  return static_cast<std::uint8_t>(std::clamp(sum >> kPrecisionBits, 0, 255));
}

}  // namespace

void SquareResize::Taps::make(int from, int to) {
  if (from == source) return;
  source = from;
  const double scale = static_cast<double>(from) / to;
  // As wide as four source pixels, or four target pixels when the image shrinks.
  const double stretch = std::max(1.0, scale), support = kRadius * stretch;
  longest = static_cast<int>(std::ceil(support)) * 2 + 1;
  first.assign(static_cast<std::size_t>(to), 0);
  count.assign(static_cast<std::size_t>(to), 0);
  weights.assign(static_cast<std::size_t>(to) * static_cast<std::size_t>(longest), 0);
  std::vector<double> real(static_cast<std::size_t>(longest));
  for (int place = 0; place < to; ++place) {
    const auto at = static_cast<std::size_t>(place);
    const double centre = (place + 0.5) * scale;
    const int begin = std::max(0, static_cast<int>(centre - support + 0.5));
    const int end = std::min(from, static_cast<int>(centre + support + 0.5));
    double total = 0;
    for (int i = begin; i < end; ++i) {
      total += real[static_cast<std::size_t>(i - begin)] = cubic((i - centre + 0.5) / stretch);
    }
    first[at] = begin;
    count[at] = end - begin;
    for (int i = 0; i < end - begin; ++i) {
      const double weight = total != 0 ? real[static_cast<std::size_t>(i)] / total : 0;
      weights[at * static_cast<std::size_t>(longest) + static_cast<std::size_t>(i)] =
          static_cast<std::int32_t>(std::copysign(0.5, weight) + weight * (1 << kPrecisionBits));
    }
  }
}

void SquareResize::resize(media::ImageView image) {
  const int width = image.width, height = image.height;
  columns_.make(width, side_);
  rows_.make(height, side_);
  const auto side = static_cast<std::size_t>(side_);
  const std::size_t row_values = side * kChannels;
  narrowed_.resize(static_cast<std::size_t>(height) * row_values);
  square_.resize(side * row_values);
  for (int y = 0; y < height; ++y) {
    const std::uint8_t* from = image.data + y * image.stride_bytes;
    std::uint8_t* to = narrowed_.data() + static_cast<std::size_t>(y) * row_values;
    if (width == side_) {
      std::copy_n(from, row_values, to);
      continue;
    }
    for (std::size_t x = 0; x < side; ++x, to += kChannels) {
      const std::int32_t* weights = columns_.weights.data() + x * static_cast<std::size_t>(columns_.longest);
      const std::uint8_t* pixel = from + std::ptrdiff_t{3} * columns_.first[x];
      std::int32_t sums[kChannels];
      std::fill_n(sums, kChannels, kHalf);
      for (int i = 0; i < columns_.count[x]; ++i, pixel += kChannels) {
        for (std::size_t c = 0; c < kChannels; ++c) sums[c] += weights[i] * pixel[c];
      }
      for (std::size_t c = 0; c < kChannels; ++c) to[c] = clipped(sums[c]);
    }
  }
  if (height == side_) {
    square_ = narrowed_;
    return;
  }
  sums_.resize(row_values);
  for (std::size_t y = 0; y < side; ++y) {
    const std::int32_t* weights = rows_.weights.data() + y * static_cast<std::size_t>(rows_.longest);
    std::ranges::fill(sums_, kHalf);
    for (int i = 0; i < rows_.count[y]; ++i) {
      const std::uint8_t* from = narrowed_.data() + static_cast<std::size_t>(rows_.first[y] + i) * row_values;
      const std::int32_t weight = weights[i];
      for (std::size_t x = 0; x < row_values; ++x) sums_[x] += weight * from[x];
    }
    std::ranges::transform(sums_, square_.begin() + static_cast<std::ptrdiff_t>(y * row_values), clipped);
  }
}

base::Result<void> SquareResize::to_planes(media::ImageView image, std::span<float> planes) {
  if (image.empty()) return base::fail(base::Code::kInvalidArgument, "an empty picture cannot be converted");
  const std::size_t pixels = static_cast<std::size_t>(side_) * static_cast<std::size_t>(side_);
  SLIPWAY_CHECK(planes.size() == 3 * pixels, "room for three planes");
  resize(image);
  for (std::size_t c = 0; c < 3; ++c) {
    float* plane = planes.data() + c * pixels;
    const std::uint8_t* from = square_.data() + c;
    for (std::size_t i = 0; i < pixels; ++i) plane[i] = static_cast<float>(from[3 * i]) / 255.0F;
  }
  return {};
}

}  // namespace slipway::pipelines::samurai
