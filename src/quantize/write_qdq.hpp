#pragma once

#include <string>
#include <vector>

#include "quantize/choice.hpp"
#include "quantize/encode.hpp"

namespace slipway::quantize {

/// A weight or bias that was made integers.
struct EncodedParameter {
  std::string name, type;  ///< "int8", "int32"
  std::size_t channels = 1;
  std::uint64_t bytes_before = 0, bytes_after = 0;
};

/// The operator domain of QuantizeLinear and DequantizeLinear: the standard one has scales by channel from opset 13 on
/// and 16 bits from 21 on; ONNX Runtime's own has both in every opset.
[[nodiscard]] std::string pair_domain(std::int64_t opset, ActivationType type);

/// Puts QuantizeLinear and DequantizeLinear behind every tensor with an encoding, makes weights int8 (one scale a
/// channel) and biases int32 with the scale of input times weight, corrected where the options say so, and takes out
/// needless clips. Names of inputs, outputs and nodes stay.
/// @return the weights and biases
[[nodiscard]] std::vector<EncodedParameter> write_qdq(compile::onnx_graph::Rewriter& graph, const Choice& choice,
                                                      const Encodings& encodings, const Calibration& calibration,
                                                      const Options& options, std::int64_t opset);

}  // namespace slipway::quantize
