#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/files.hpp"
#include "tensor/tensor.hpp"

// What tests read of the references' arrays.
namespace slipway::tensor::testing {

inline const Tensor& named(const NamedTensors& tensors, const std::string& name) {
  const auto found = std::ranges::find(tensors, name, &NamedTensor::name);
  SLIPWAY_CHECK(found != tensors.end(), "the golden has this array");
  return found->tensor;
}

/// A file of float32 and nothing else.
inline std::vector<float> floats_of(const std::filesystem::path& path) {
  const std::string bytes = base::read_file(path, 1U << 28U).value();
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), values.size() * sizeof(float));
  return values;
}

/// How far values are from a reference's, at the most: infinitely where either is no number, and where nothing was
/// compared, so that no bound holds. (std::max() keeps what it has when a NaN comes.)
class LargestDifference {
 public:
  void add(double found, double expected) {
    const double difference = found == expected ? 0 : std::abs(found - expected);  // infinities may be meant
    if (!(difference <= largest_)) largest_ = std::isnan(difference) ? kNone : difference;
    has_any_ = true;
  }
  [[nodiscard]] double value() const { return has_any_ ? largest_ : kNone; }

 private:
  static constexpr double kNone = std::numeric_limits<double>::infinity();
  double largest_ = 0;
  bool has_any_ = false;
};

/// The same of two lists of numbers; infinite when they are not of one length.
template <typename Found, typename Expected>
[[nodiscard]] double largest_difference(const Found& found, const Expected& expected) {
  LargestDifference largest;
  if (std::size(found) != std::size(expected)) return largest.value();
  auto other = std::begin(expected);
  for (const auto value : found) largest.add(static_cast<double>(value), static_cast<double>(*other++));
  return largest.value();
}

/// Largest difference from a reference that has of each row every `step`-th number only, and no more.
inline double worst_difference(std::span<const float> values, std::size_t row_length, std::size_t step,
                               std::span<const float> reference) {
  std::vector<float> seen;
  for (std::size_t row = 0; row < values.size(); row += row_length) {
    for (std::size_t i = 0; i < row_length; i += step) seen.push_back(values[row + i]);
  }
  return largest_difference(seen, reference);
}

}  // namespace slipway::tensor::testing
