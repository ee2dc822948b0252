#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "convert/aten/graph.hpp"
#include "tensor/shape.hpp"

namespace slipway::convert::aten {

/// What a graph says of itself, without being converted.
struct GraphSummary {
  std::string producer;
  std::vector<tensor::TensorSpec> inputs, outputs;     ///< -1 where open; no rank where the archive declares nothing
  std::vector<std::string> outputs_of_unknown_type;    ///< names
  std::vector<std::pair<std::string, int>> operators;  ///< most frequent first
  int nodes = 0;
  std::int64_t parameter_count = 0;  ///< elements of parameters; buffers and constants are not counted
  std::uint64_t stored_bytes = 0;    ///< of all stored tensors
};
[[nodiscard]] GraphSummary summary_of(const Graph& graph);

}  // namespace slipway::convert::aten
