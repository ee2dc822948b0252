#include "quantize/weights.hpp"

#include <algorithm>
#include <cmath>

namespace slipway::quantize {
namespace {

constexpr double kLargest = 127;

}  // namespace

ChannelOrder::ChannelOrder(const tensor::Shape& shape, std::optional<std::int64_t> axis) {
  if (!axis) return;
  const auto place = static_cast<std::size_t>(*axis);
  channels = static_cast<std::size_t>(shape[place]);
  for (std::size_t i = place + 1; i < shape.size(); ++i) inner *= static_cast<std::size_t>(shape[i]);
}

std::vector<double> channel_peaks(std::span<const float> weights, const ChannelOrder& order) {
  std::vector<double> peaks(order.channels, 0);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    double& peak = peaks[order.channel_of(i)];
    peak = std::max(peak, std::abs(static_cast<double>(weights[i])));
  }
  return peaks;
}

QuantizedWeights quantize_weights(std::span<const float> weights, const tensor::Shape& shape,
                                  std::optional<std::int64_t> axis, std::span<const double> smallest_scales) {
  const ChannelOrder order(shape, axis);
  const std::vector<double> peaks = channel_peaks(weights, order);
  QuantizedWeights quantized{.numbers = {}, .scales = {}, .axis = axis};
  for (std::size_t channel = 0; channel < peaks.size(); ++channel) {
    double scale = peaks[channel] > 0 ? peaks[channel] / kLargest : 1;
    if (!smallest_scales.empty()) scale = std::max(scale, smallest_scales[channel]);
    // A magnitude that a float cannot hold as a normal number is none that matters.
    quantized.scales.push_back(std::max(static_cast<float>(scale), std::numeric_limits<float>::min()));
  }
  quantized.numbers.resize(weights.size());
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const double steps =
        std::nearbyint(static_cast<double>(weights[i]) / static_cast<double>(quantized.scales[order.channel_of(i)]));
    quantized.numbers[i] = static_cast<std::int8_t>(std::clamp(steps, -kLargest, kLargest));
  }
  return quantized;
}

}  // namespace slipway::quantize
