#pragma once

#include <optional>
#include <unordered_map>
#include <vector>

#include "compile/onnx_graph/rewriter.hpp"

namespace slipway::compile::onnx_graph {

/// Types of the values of a model, inferred node by node from what its file declares, by own rules for the operators
/// that rewrites and converters need. What no rule says stays unknown; nothing is guessed. Small integer tensors are
/// followed as values too, so that sizes computed in the graph (Shape, Gather, Concat, Reshape) are known.
class InferredTypes {
 public:
  /// Reads all graphs in the order of their nodes; graphs of nodes are read before the node that they belong to.
  /// @pre  Rewriter::opset() is no error: older operators read their settings otherwise
  explicit InferredTypes(Rewriter& rewriter);
  InferredTypes() = default;

  /// Infers what a node gives, from what is known of its inputs: for whoever adds nodes one by one.
  void add(const Node& node);

  [[nodiscard]] ValueType type(const Value& value) const;
  /// The elements of an int64 tensor of rank 0 or 1 that is the same in every run.
  [[nodiscard]] std::optional<std::vector<std::int64_t>> integers(const Value& value) const;

 private:
  void read(Scope& scope);
  std::unordered_map<const Value*, ValueType> types_;
  std::unordered_map<const Value*, std::vector<std::int64_t>> integers_;
};

}  // namespace slipway::compile::onnx_graph
