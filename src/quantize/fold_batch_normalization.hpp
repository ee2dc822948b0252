#pragma once

#include "compile/onnx_graph/rewriter.hpp"

namespace slipway::quantize {

/// Makes a BatchNormalization part of the weights and bias of the Conv, ConvTranspose or Gemm before it, where nothing
/// else reads what that gives and all parameters are constant. A node's numbers then have one range and not two.
/// @return how many were folded
int fold_batch_normalization(compile::onnx_graph::Rewriter& graph);

}  // namespace slipway::quantize
