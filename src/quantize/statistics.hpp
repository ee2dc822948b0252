#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "quantize/encoding.hpp"

#include "tensor/shape.hpp"

namespace slipway::quantize {

/// Counts of numbers in bins of one width, symmetric around zero. The width doubles when a number lies outside, and
/// neighbours are joined: memory does not depend on what comes.
class Histogram {
 public:
  static constexpr std::size_t kBinsPerSide = 2048;

  void add(std::span<const float> numbers, double peak);
  [[nodiscard]] bool is_empty() const { return width_ == 0; }
  [[nodiscard]] double width() const { return width_; }
  /// From the lowest bin, which begins at -kBinsPerSide * width, to the highest. Exact zeros are not among them.
  [[nodiscard]] const std::vector<std::uint64_t>& counts() const { return counts_; }
  [[nodiscard]] double lower_end(std::size_t bin) const {
    return (static_cast<double>(bin) - static_cast<double>(kBinsPerSide)) * width_;
  }

 private:
  void widen_to(double peak);
  double width_ = 0;
  std::vector<std::uint64_t> counts_;
};

/// What calibration remembers of a tensor. NaN and infinities are counted and are in nothing else.
class TensorStatistics {
 public:
  explicit TensorStatistics(bool has_histogram) : has_histogram_(has_histogram) {}
  void add(std::span<const float> numbers);

  [[nodiscard]] std::uint64_t count() const { return count_; }  ///< finite numbers
  [[nodiscard]] std::uint64_t not_finite() const { return not_finite_; }
  [[nodiscard]] std::uint64_t zeros() const { return zeros_; }  ///< with a histogram only
  [[nodiscard]] Range range() const { return count_ == 0 ? Range{} : range_; }
  [[nodiscard]] const Histogram& histogram() const { return histogram_; }

 private:
  bool has_histogram_;
  std::uint64_t count_ = 0, not_finite_ = 0, zeros_ = 0;
  Range range_;
  Histogram histogram_;
};

/// Means of a tensor's channels over all that was added.
class ChannelMeans {
 public:
  /// @param axis  of the channels; tensors of a lower rank, or of another number of channels, are passed over
  void add(std::span<const float> numbers, const tensor::Shape& shape, std::size_t axis);
  [[nodiscard]] std::vector<double> means() const;

 private:
  std::vector<double> sums_;
  std::uint64_t count_ = 0;  ///< of each channel
};

}  // namespace slipway::quantize
