#include "quantize/fold_batch_normalization.hpp"

#include <algorithm>
#include <cmath>
#include <span>

#include "quantize/operator_rules.hpp"
#include "quantize/weights.hpp"

#include "compile/onnx_graph/element_type.hpp"

namespace slipway::quantize {

using compile::onnx_graph::Node;
using compile::onnx_graph::Rewriter;
using compile::onnx_graph::Value;

namespace {

/// y = x * factor + summand, by channel.
struct ChannelLine {
  std::vector<double> factors, summands;
};

std::optional<std::vector<float>> constant_floats(const Value* value) {
  return value != nullptr && value->is_constant() ? value->floats() : std::nullopt;
}

std::optional<ChannelLine> line_of(const Node& node) {
  if (node.integer("training_mode").value_or(0) != 0) return std::nullopt;
  const auto scale = constant_floats(node.input(1)), bias = constant_floats(node.input(2));
  const auto mean = constant_floats(node.input(3)), variance = constant_floats(node.input(4));
  if (!scale || !bias || !mean || !variance) return std::nullopt;
  const std::size_t channels = scale->size();
  if (bias->size() != channels || mean->size() != channels || variance->size() != channels) return std::nullopt;
  const auto epsilon = static_cast<double>(node.real("epsilon").value_or(1e-5F));
  ChannelLine line;
  for (std::size_t i = 0; i < channels; ++i) {
    const double factor = static_cast<double>((*scale)[i]) / std::sqrt(static_cast<double>((*variance)[i]) + epsilon);
    if (!std::isfinite(factor)) return std::nullopt;
    line.factors.push_back(factor);
    line.summands.push_back(static_cast<double>((*bias)[i]) - static_cast<double>((*mean)[i]) * factor);
  }
  return line;
}

/// The node whose weights can take the line; nullptr: none.
Node* weighted_before(const Node& node) {
  Value* const between = node.input(0);
  Node* const before = between != nullptr ? between->producer() : nullptr;
  if (before == nullptr || between->is_output() || between->uses().size() != 1) return nullptr;
  if (before->is("Conv") || before->is("Gemm")) return before;
  return before->is("ConvTranspose") && before->integer("group").value_or(1) == 1 ? before : nullptr;
}

Value& add_floats(Rewriter& graph, const std::string& name, const tensor::Shape& shape,
                  std::span<const float> numbers) {
  return graph.add_initializer(graph.main(), name,
                               {.element_type = compile::onnx_graph::element_type_of_dtype(tensor::Dtype::kFloat32),
                                .shape = shape,
                                .bytes = std::as_bytes(numbers)});
}

bool fold(Rewriter& graph, Node& node) {
  const auto line = line_of(node);
  Node* const before = weighted_before(node);
  if (!line || before == nullptr || &before->scope() != &graph.main()) return false;
  for (std::size_t i = 1; i < node.outputs().size(); ++i) {
    if (node.output(i) != nullptr && !node.output(i)->is_unused()) return false;
  }
  Value* const weight = before->input(1);
  auto weights = constant_floats(weight);
  const auto axis = weights && weight->type().shape ? channel_axis(*before, *weight->type().shape) : std::nullopt;
  if (!axis) return false;
  const ChannelOrder order(*weight->type().shape, axis);
  const std::size_t channels = line->factors.size();
  Value* const bias = before->input(2);
  const auto biases =
      bias == nullptr ? std::vector<float>(channels, 0) : constant_floats(bias).value_or(std::vector<float>{});
  const bool is_scaled = before->real("alpha").value_or(1) != 1 || before->real("beta").value_or(1) != 1;
  if (order.channels != channels || biases.size() != channels || (before->is("Gemm") && is_scaled)) return false;

  for (std::size_t i = 0; i < weights->size(); ++i) {
    (*weights)[i] = static_cast<float>(static_cast<double>((*weights)[i]) * line->factors[order.channel_of(i)]);
  }
  std::vector<float> sums(channels);
  for (std::size_t i = 0; i < channels; ++i) {
    sums[i] = static_cast<float>(static_cast<double>(biases[i]) * line->factors[i] + line->summands[i]);
  }
  const auto shape = *weight->type().shape;
  const std::string bias_name = bias != nullptr ? bias->name() : node.input(2)->name();
  Value& new_weight = add_floats(graph, weight->name() + "_folded", shape, *weights);
  Value& new_bias = add_floats(graph, bias_name + "_folded", {static_cast<std::int64_t>(channels)}, sums);
  Value& result = *node.output(0);
  Value& between = *before->output(0);
  const std::string name = result.name();
  const std::vector<Value*> parameters(node.inputs().begin() + 1, node.inputs().end());
  graph.set_input(*before, 1, &new_weight);
  graph.set_input(*before, 2, &new_bias);
  graph.redirect_uses(result, between);
  for (std::size_t i = 0; i < graph.main().outputs().size(); ++i) {
    if (graph.main().outputs()[i] == &result) graph.set_output(graph.main(), i, between);
  }
  graph.remove(node);
  graph.rename(between, name);
  graph.remove_if_unused(*weight);
  if (bias != nullptr) graph.remove_if_unused(*bias);
  for (Value* parameter : parameters) {
    if (parameter != nullptr) graph.remove_if_unused(*parameter);
  }
  return true;
}

}  // namespace

int fold_batch_normalization(Rewriter& graph) {
  int folded = 0;
  const std::vector<Node*> nodes = graph.main().nodes();
  for (Node* node : nodes) {
    if (node->is("BatchNormalization")) folded += fold(graph, *node) ? 1 : 0;
  }
  return folded;
}

}  // namespace slipway::quantize
