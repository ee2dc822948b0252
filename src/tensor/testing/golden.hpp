#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
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

/// Largest difference from a reference that has of each row every `step`-th number only, and no more.
inline double worst_difference(std::span<const float> values, std::size_t row_length, std::size_t step,
                               std::span<const float> reference) {
  double worst = 0;
  std::size_t at = 0;
  for (std::size_t row = 0; row < values.size(); row += row_length) {
    for (std::size_t i = 0; i < row_length; i += step) {
      worst = std::max(worst, std::abs(static_cast<double>(values[row + i]) - reference[at++]));
    }
  }
  SLIPWAY_CHECK(at == reference.size(), "the golden is of these rows");
  return worst;
}

}  // namespace slipway::tensor::testing
