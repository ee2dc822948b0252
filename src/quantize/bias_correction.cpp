#include "quantize/bias_correction.hpp"

namespace slipway::quantize {

using compile::onnx_graph::Node;

std::optional<std::size_t> input_channel_axis(const Node& node) {
  if (node.is("Conv")) return 1;
  const bool is_plain_gemm =
      node.is("Gemm") && node.integer("transA").value_or(0) == 0 && node.real("alpha").value_or(1) == 1;
  if (is_plain_gemm) return 1;
  return std::nullopt;
}

std::vector<double> mean_shift(const Node& node, std::span<const float> weights, const tensor::Shape& shape,
                               const QuantizedWeights& quantized, std::span<const double> means) {
  if (shape.size() < 2 || weights.empty() || means.empty()) return {};
  const bool is_conv = node.is("Conv");
  // As a list of outputs, each of which reads inputs, each with so many weights.
  const bool outputs_first = is_conv || node.integer("transB").value_or(0) != 0;
  const auto rows = static_cast<std::size_t>(shape[0]), columns = static_cast<std::size_t>(shape[1]);
  const std::size_t outputs = outputs_first ? rows : columns, inputs = outputs_first ? columns : rows;
  const std::size_t taps = weights.size() / (rows * columns);
  const auto groups =
      static_cast<std::size_t>(is_conv ? std::max<std::int64_t>(node.integer("group").value_or(1), 1) : 1);
  if (inputs * groups != means.size() || outputs % groups != 0) return {};
  const ChannelOrder order(shape, quantized.axis);
  std::vector<double> shift(outputs, 0);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const std::size_t row = i / taps / columns, column = i / taps % columns;
    const std::size_t output = outputs_first ? row : column, input = outputs_first ? column : row;
    const std::size_t group = output / (outputs / groups);
    const double stored =
        static_cast<double>(quantized.numbers[i]) * static_cast<double>(quantized.scales[order.channel_of(i)]);
    shift[output] += (stored - static_cast<double>(weights[i])) * means[group * inputs + input];
  }
  return shift;
}

}  // namespace slipway::quantize
