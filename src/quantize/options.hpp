#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "quantize/encoding.hpp"

#include "base/error.hpp"
#include "tensor/tensor.hpp"

namespace slipway::quantize {

/// How the range of an activation is chosen from what calibration saw of it.
enum class RangeScheme {
  kMinMax,        ///< from the smallest number to the largest
  kPercentile,    ///< without the outermost hundredth of a percent at either end
  kEntropy,       ///< the range whose steps say most of the distribution (Kullback-Leibler); 8 bits only
  kMseMinimizer,  ///< the range of the least mean squared error
  kAuto,          ///< of each tensor the range of the least error, where what is clipped weighs more
};
[[nodiscard]] std::string_view scheme_name(RangeScheme scheme);  ///< "min_max" …
/// @error kInvalidArgument: no such scheme; the message lists those that there are
[[nodiscard]] base::Result<RangeScheme> scheme_of_name(std::string_view name);

struct Options {
  ActivationType activations = ActivationType::kUint8;
  RangeScheme scheme = RangeScheme::kMinMax;
  std::int64_t most_samples = 0;                ///< 0: all
  std::vector<std::string> excluded_nodes;      ///< by name: they stay in float
  std::vector<std::string> excluded_operators;  ///< the same for every node of a type
  bool quantizes_io = false;                    ///< inputs and outputs hold integers too
  bool corrects_biases = true;                  ///< by what rounded weights move the mean of the samples
  bool equalizes_layers = false;                ///< cross-layer equalisation of convolutions, before calibration
  bool folds_batch_normalization = true;        ///< into the convolution before it
};

/// What a model is calibrated on and judged by, read one at a time and as often as it takes.
struct Samples {
  std::int64_t count = 0;
  std::function<base::Result<tensor::NamedTensors>(std::int64_t sample)> read;
};

/// Told how far a step is. May be empty.
using Progress = std::function<void(std::string_view step, std::int64_t done, std::int64_t total)>;

}  // namespace slipway::quantize
