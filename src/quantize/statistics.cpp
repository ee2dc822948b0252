#include "quantize/statistics.hpp"

#include <algorithm>
#include <cmath>

namespace slipway::quantize {

void Histogram::widen_to(double peak) {
  if (width_ == 0) {
    width_ = peak / static_cast<double>(kBinsPerSide);
    counts_.assign(2 * kBinsPerSide, 0);
  }
  while (peak > width_ * static_cast<double>(kBinsPerSide)) {
    width_ *= 2;
    // Towards zero on both sides, so that no bin ever holds both signs.
    std::vector<std::uint64_t> joined(counts_.size(), 0);
    for (std::size_t i = 0; i < kBinsPerSide; ++i) {
      joined[kBinsPerSide + i / 2] += counts_[kBinsPerSide + i];
      joined[kBinsPerSide - 1 - i / 2] += counts_[kBinsPerSide - 1 - i];
    }
    counts_ = std::move(joined);
  }
}

void Histogram::add(std::span<const float> numbers, double peak) {
  if (!(peak > 0)) return;
  // A peak below what a float divides by has no shape to speak of.
  widen_to(std::max(peak, 1e-30));
  const double bins_per_unit = 1 / width_;
  constexpr auto kLast = static_cast<std::int64_t>(2 * kBinsPerSide) - 1;
  for (const float number : numbers) {
    if (number == 0 || !std::isfinite(number)) continue;
    const double place = std::floor(static_cast<double>(number) * bins_per_unit) + static_cast<double>(kBinsPerSide);
    ++counts_[static_cast<std::size_t>(std::clamp(static_cast<std::int64_t>(place), std::int64_t{0}, kLast))];
  }
}

void TensorStatistics::add(std::span<const float> numbers) {
  if (numbers.empty()) return;
  float lowest = std::numeric_limits<float>::infinity(), highest = -lowest;
  std::uint64_t finite = 0;
  for (const float number : numbers) {
    const bool is_finite = std::abs(number) <= std::numeric_limits<float>::max();
    finite += is_finite ? 1 : 0;
    lowest = is_finite && number < lowest ? number : lowest;
    highest = is_finite && number > highest ? number : highest;
  }
  not_finite_ += numbers.size() - finite;
  if (finite == 0) return;
  const Range seen{static_cast<double>(lowest), static_cast<double>(highest)};
  range_ = count_ == 0 ? seen : united(range_, seen);
  count_ += finite;
  if (!has_histogram_) return;
  zeros_ += static_cast<std::uint64_t>(std::ranges::count(numbers, 0.0F));
  histogram_.add(numbers, std::max(-range_.lowest, range_.highest));
}

void ChannelMeans::add(std::span<const float> numbers, const tensor::Shape& shape, std::size_t axis) {
  if (axis >= shape.size() || numbers.empty()) return;
  const auto channels = static_cast<std::size_t>(shape[axis]);
  if (sums_.empty()) sums_.assign(channels, 0);
  if (sums_.size() != channels) return;
  std::size_t inner = 1;
  for (std::size_t i = axis + 1; i < shape.size(); ++i) inner *= static_cast<std::size_t>(shape[i]);
  for (std::size_t begin = 0, channel = 0; begin < numbers.size(); begin += inner, channel = (channel + 1) % channels) {
    double sum = 0;
    for (const float number : numbers.subspan(begin, inner)) {
      sum += std::abs(number) <= std::numeric_limits<float>::max() ? static_cast<double>(number) : 0;
    }
    sums_[channel] += sum;
  }
  count_ += numbers.size() / channels;
}

std::vector<double> ChannelMeans::means() const {
  std::vector<double> means = sums_;
  for (double& mean : means) mean /= static_cast<double>(count_);
  return means;
}

}  // namespace slipway::quantize
