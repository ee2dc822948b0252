#pragma once

#include <span>
#include <vector>

#include "quantize/weights.hpp"

#include "compile/onnx_graph/graph.hpp"

namespace slipway::quantize {

/// The axis along which the input of a node has the channels that its weights read; nothing: its bias is not corrected.
/// Conv: 1; Gemm whose input is neither transposed nor scaled: 1.
[[nodiscard]] std::optional<std::size_t> input_channel_axis(const compile::onnx_graph::Node& node);

/// By how much rounded weights move each output channel on the mean of the calibration samples: the sum of what each
/// weight was rounded by times the mean of what it reads. Taken from the bias, the mean stays what it was. Padding is
/// not seen: borders count as the rest.
/// @param means  of the input, by channel
/// @return one number an output channel; empty where shapes do not fit
[[nodiscard]] std::vector<double> mean_shift(const compile::onnx_graph::Node& node, std::span<const float> weights,
                                             const tensor::Shape& shape, const QuantizedWeights& quantized,
                                             std::span<const double> means);

}  // namespace slipway::quantize
