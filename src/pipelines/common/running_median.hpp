#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

namespace slipway::pipelines {

/// The median of the latest 31 values; allocates nothing.
class RunningMedian {
 public:
  void add(double value) {
    values_[next_] = value;
    next_ = (next_ + 1) % values_.size();
    count_ = std::min(count_ + 1, values_.size());
  }

  [[nodiscard]] std::size_t count() const { return count_; }

  /// The middle value, the upper one of two; 0 without values.
  [[nodiscard]] double value() const {
    if (count_ == 0) return 0;
    auto sorted = values_;
    auto* middle = sorted.begin() + static_cast<std::ptrdiff_t>(count_ / 2);
    std::nth_element(sorted.begin(), middle, sorted.begin() + static_cast<std::ptrdiff_t>(count_));
    return *middle;
  }

 private:
  std::array<double, 31> values_{};
  std::size_t next_ = 0, count_ = 0;
};

}  // namespace slipway::pipelines
