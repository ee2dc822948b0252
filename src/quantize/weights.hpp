#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "tensor/shape.hpp"

namespace slipway::quantize {

/// Weights as int8, symmetric: real = stored * scale, stored in [-127, 127].
struct QuantizedWeights {
  std::vector<std::int8_t> numbers;
  std::vector<float> scales;  ///< one a channel along `axis`, or one for all
  std::optional<std::int64_t> axis;
};

/// The channel along an axis that an element belongs to.
struct ChannelOrder {
  std::size_t channels = 1, inner = 1;
  ChannelOrder(const tensor::Shape& shape, std::optional<std::int64_t> axis);
  [[nodiscard]] std::size_t channel_of(std::size_t element) const { return element / inner % channels; }
};

/// The largest magnitude of each channel; of all without an axis.
[[nodiscard]] std::vector<double> channel_peaks(std::span<const float> weights, const ChannelOrder& order);

/// Rounds weights to the nearest step, ties to even. A channel of zeros gets a scale of 1.
/// @param smallest_scales  for each channel, below which its scale must not be: a bias in steps of input and weight has
///                         32 bits; empty: none
[[nodiscard]] QuantizedWeights quantize_weights(std::span<const float> weights, const tensor::Shape& shape,
                                                std::optional<std::int64_t> axis,
                                                std::span<const double> smallest_scales = {});

}  // namespace slipway::quantize
