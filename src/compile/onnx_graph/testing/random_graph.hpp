#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tensor/shape.hpp"

namespace slipway::compile::onnx_graph::testing {

/// A small valid model with what rewrites stumble over: int64 inputs that Shape and ArgMax read too, If, Loop and Scan
/// with values from outside and names used in several graphs, calls of local functions, constants in nodes, optional
/// inputs left out, outputs listed twice or handed through, names that a rewrite would choose.
struct RandomGraph {
  std::string bytes;
  std::vector<tensor::TensorSpec>
      inputs;  ///< with the sizes that the graph is made for, also where it leaves them open
  std::vector<tensor::TensorSpec> outputs;  ///< as they come out then
};

/// The same seed gives the same graph. Integers it computes from inputs of 0 and 1 need far less than 32
/// bits.
[[nodiscard]] RandomGraph random_graph(std::uint64_t seed);

/// Names that clash with those of graphs and rewrites.
[[nodiscard]] const std::vector<std::string>& likely_names();

}  // namespace slipway::compile::onnx_graph::testing
