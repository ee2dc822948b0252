#pragma once

#include <memory>
#include <string>
#include <vector>

#include "quantize/choice.hpp"
#include "quantize/encode.hpp"
#include "quantize/options.hpp"
#include "quantize/write_qdq.hpp"

#include "base/error.hpp"
#include "compile/onnx_graph/model.hpp"
#include "runtime/environment.hpp"

namespace slipway::quantize {

/// A quantised model, and what was done to make it.
struct Quantized {
  compile::onnx_graph::Model model;
  std::vector<EncodedTensor> tensors = {};          ///< activations and constants, in the graph's order
  std::vector<EncodedParameter> parameters = {};    ///< weights and biases
  std::vector<TensorWithoutEncoding> without = {};  ///< tensors that were to be quantised and were not
  std::vector<FloatNode> float_nodes = {};          ///< nodes that stay in float
  std::vector<std::string> parted_joins = {};       ///< Concat nodes whose inputs keep encodings of their own
  std::vector<std::string> not_finite = {};        ///< tensors in which calibration saw NaN or infinities, and how many
  std::vector<std::string> left_out_samples = {};  ///< because an input held NaN or infinities
  std::int64_t samples = 0;                        ///< that were used
  int quantized_nodes = 0, needless_clips = 0, folded_normalizations = 0, equalized_pairs = 0;
};

/// Quantises a float model to static QDQ form: every value that an NPU would compute with stands between QuantizeLinear
/// and DequantizeLinear, weights are int8 by channel, biases int32. Inputs, outputs and names stay as they are.
/// @param model  float32; what lies in inner graphs and functions stays in float
/// @error kFailedPrecondition: it is quantised already, or compiled; kInvalidArgument: nothing in it can be quantised,
///        a weight holds NaN or infinities (it is named), or the samples do not fit; kNotFound: an exclusion names
///        nothing
[[nodiscard]] base::Result<Quantized> quantize(const std::shared_ptr<runtime::Environment>& environment,
                                               compile::onnx_graph::Model model, const Samples& samples,
                                               const Options& options, const Progress& progress = {});

}  // namespace slipway::quantize
