#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "compile/onnx_graph/model.hpp"
#include "convert/aten/graph.hpp"
#include "tensor/shape.hpp"

namespace slipway::convert::operators {

/// The operator sets that lowering writes; the newest is what it writes unless told otherwise (ADR 23).
inline constexpr std::int64_t kOldestOpset = 18;
inline constexpr std::int64_t kNewestOpset = 21;

struct LoweringOptions {
  std::int64_t opset = kNewestOpset;
  /// One for each input: matched by name when all names are the archive's, in order otherwise, and then they rename.
  /// They fix the sizes that the archive leaves open; an archive without declarations (TorchScript) needs them.
  std::vector<tensor::TensorSpec> input_specs;
  std::vector<std::string> output_names;  ///< in order; empty keeps the archive's
};

/// Writes a graph of ATen calls as an ONNX model: one node where ONNX has one, nothing that no output needs, nothing
/// that can be computed now. What the archive declares of a value is checked against what the nodes give.
/// @pre     the graph has no in-place calls any more (functionalised)
/// @error   kUnimplemented: operators that the table lacks (all are named, with their count), or a form of one that has
///          no counterpart; kInvalidArgument: specs that do not fit, arguments that do not match an operator's schema,
///          a declaration that the nodes contradict. Messages name operator, module path and line of the source
/// @cost    one pass; weights are views of the archive
[[nodiscard]] base::Result<compile::onnx_graph::Model> lower(const aten::Graph& graph, const LoweringOptions& options);

}  // namespace slipway::convert::operators
