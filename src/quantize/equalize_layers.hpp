#pragma once

#include "compile/onnx_graph/rewriter.hpp"

namespace slipway::quantize {

/// Cross-layer equalisation: where a Conv is read by one other Conv alone, perhaps through Relu, LeakyRelu or PRelu, a
/// channel may be made larger by any factor in the one and smaller in the other, and the network gives the same. Each
/// channel between the two gets the factor that makes its weights in both equally large. Depthwise convolutions are
/// among them; what clips at a number above zero (Relu6) is not.
/// @return how many pairs were changed
/// @source M. Nagel et al., Data-Free Quantization Through Weight Equalization and Bias Correction, 2019, section 4.1
int equalize_layers(compile::onnx_graph::Rewriter& graph);

}  // namespace slipway::quantize
