#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "quantize/calibrate.hpp"
#include "quantize/choice.hpp"
#include "quantize/range_scheme.hpp"

namespace slipway::quantize {

/// The encoding of an activation or of a constant that is read as data.
struct EncodedTensor {
  std::string name;
  Encoding encoding;
  Range observed;      ///< in calibration; of a constant, what it holds
  RangeScheme scheme;  ///< that chose the range; of bounded operators min_max, which is nobody's choice
  std::string group;   ///< the first tensor of those that share the encoding
};

/// A tensor that was to be quantised and stays in float.
struct TensorWithoutEncoding {
  std::string name, reason;
};

/// The encodings of a graph.
struct Encodings {
  std::map<const compile::onnx_graph::Value*, EncodedTensor> tensors;
  std::vector<TensorWithoutEncoding> without;
  /// Relu and Clip nodes that the encoding before them makes needless: it stores nothing that they would clip.
  std::vector<compile::onnx_graph::Node*> needless_clips;
  /// Concat nodes whose inputs are too unlike to share an encoding, by name.
  std::vector<std::string> parted_joins;
};

/// How many times finer the steps of one input of a Concat may be than those of all together, before it keeps its own:
/// scores of 0 to 1 beside boxes of 0 to 640 would have two steps left.
inline constexpr double kMostUnlike = 8;

/// Gives every activation and constant of the choice an encoding.
[[nodiscard]] Encodings encode(const Choice& choice, const Calibration& calibration, const Options& options);

}  // namespace slipway::quantize
