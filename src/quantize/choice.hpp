#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "quantize/operator_rules.hpp"
#include "quantize/options.hpp"

#include "compile/onnx_graph/infer_types.hpp"
#include "compile/onnx_graph/rewriter.hpp"

namespace slipway::quantize {

/// A node that stays in float, and why.
struct FloatNode {
  std::string name, op_type, reason;
};

/// What of a graph is quantised. Values are those of the rewriter it was made with.
struct Choice {
  using Value = compile::onnx_graph::Value;
  using Node = compile::onnx_graph::Node;
  struct ChosenNode {
    Node* node;
    const OperatorRule* rule;
  };
  std::vector<ChosenNode> nodes;    ///< in the graph's order
  std::vector<Value*> activations;  ///< what they read and give that is not constant, each once
  std::vector<Value*> constants;    ///< float constants that they read as data, weights and biases aside
  std::vector<FloatNode> float_nodes;
};

/// Chooses the nodes of the main graph that an operator rule covers, unless they are excluded or compute with integers.
/// What only moves data is quantised where a neighbour is.
/// @error kNotFound: an excluded node or operator type is not in the graph (it is named)
[[nodiscard]] base::Result<Choice> choose(compile::onnx_graph::Rewriter& graph,
                                          const compile::onnx_graph::InferredTypes& types, const Options& options);

/// The constant weight that a node multiplies by; nullptr: it has none.
[[nodiscard]] compile::onnx_graph::Value* weight_of(const Choice::ChosenNode& chosen);
/// The constant bias that a node adds, one number a channel; nullptr: it has none.
[[nodiscard]] compile::onnx_graph::Value* bias_of(const Choice::ChosenNode& chosen);

}  // namespace slipway::quantize
