#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "tensor/tensor.hpp"

namespace slipway::compile {

/// How the inputs and outputs of a prepared model differ from those of its source, by position.
struct Boundary {
  std::vector<tensor::TensorSpec> source_inputs;  ///< names and dtypes of the source
  std::vector<bool> channel_last_inputs;          ///< true: the prepared model takes NHWC, the source NCHW
  std::vector<bool> channel_last_outputs;
};

/// The inputs of the source that mean the same as these of the prepared model.
/// @error kInvalidArgument: another number of tensors, a rank without channels
[[nodiscard]] base::Result<tensor::NamedTensors> to_source_inputs(const Boundary& boundary,
                                                                  const tensor::NamedTensors& inputs);

/// What the prepared model should give where the source gave `outputs`. Values are not changed; 64-bit integers stay
/// so.
[[nodiscard]] base::Result<tensor::NamedTensors> from_source_outputs(const Boundary& boundary,
                                                                     tensor::NamedTensors outputs);

}  // namespace slipway::compile
