#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "quantize/encoding.hpp"

#include "compile/onnx_graph/graph.hpp"

namespace slipway::quantize {

/// How an operator is quantised.
enum class Handling {
  kWeighted,    ///< multiplies by weights: int8, with a bias of 32 bits
  kNormalizes,  ///< normalises: a scale in int8 for all channels, a bias of 32 bits
  kComputes,    ///< gives numbers with a range of their own
  kMoves,       ///< gives numbers that it was given: one encoding for what goes in and comes out
  kJoins,       ///< the same of several inputs, which may be too unlike for one encoding
  kBounded,     ///< gives numbers of a range that the operator itself sets
};

struct OperatorRule {
  std::string_view op_type;
  Handling handling;
  /// Inputs that hold data, by position; the others hold shapes, indices, limits and stay as they are. -1: all.
  int data_inputs = 1;
  int first_data_input = 0;
  int data_outputs = 1;  ///< -1: all
};

/// The rule of a standard operator; nullptr: it stays in float.
[[nodiscard]] const OperatorRule* find_rule(const compile::onnx_graph::Node& node);

/// The inputs (outputs) of the node that hold data; left-out ones are not among them.
[[nodiscard]] std::vector<std::size_t> data_inputs(const OperatorRule& rule, const compile::onnx_graph::Node& node);
[[nodiscard]] std::vector<compile::onnx_graph::Value*> data_outputs(const OperatorRule& rule,
                                                                    const compile::onnx_graph::Node& node);

/// The encoding that belongs to an operator's result whatever the data: [0, 1] of Sigmoid and Softmax, [-1, 1] of Tanh.
[[nodiscard]] std::optional<Range> natural_range(const compile::onnx_graph::Node& node, ActivationType type);

/// The interval that a Relu or Clip clips to; nothing for other nodes, or where it is not constant.
[[nodiscard]] std::optional<Range> clipping_range(const compile::onnx_graph::Node& node);

/// The axis of the output channels in a weight. @return nothing for one scale
[[nodiscard]] std::optional<std::int64_t> channel_axis(const compile::onnx_graph::Node& node,
                                                       const tensor::Shape& weight);

}  // namespace slipway::quantize
