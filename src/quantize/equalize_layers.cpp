#include "quantize/equalize_layers.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "compile/onnx_graph/element_type.hpp"

namespace slipway::quantize {

using compile::onnx_graph::Node;
using compile::onnx_graph::Rewriter;
using compile::onnx_graph::Value;

namespace {

constexpr int kMostRounds = 20;
constexpr double kSmallChange = 1e-3;

/// A Conv with its weights in memory until all pairs are done.
struct Layer {
  Node* node = nullptr;
  tensor::Shape shape;
  std::vector<float> weights, biases;  ///< no biases: it has none
  std::size_t outputs = 0, inputs_a_group = 0, taps = 0, groups = 1;
  bool is_changed = false;

  /// Calls with each weight that makes an output channel.
  template <typename Visit>
  void for_output(std::size_t channel, const Visit& visit) {
    for (std::size_t i = 0; i < inputs_a_group * taps; ++i) visit(weights[channel * inputs_a_group * taps + i]);
  }
  /// Calls with each weight that reads an input channel.
  template <typename Visit>
  void for_input(std::size_t channel, const Visit& visit) {
    const std::size_t group = channel / inputs_a_group, place = channel % inputs_a_group;
    const std::size_t outputs_a_group = outputs / groups;
    for (std::size_t o = group * outputs_a_group; o < (group + 1) * outputs_a_group; ++o) {
      for (std::size_t t = 0; t < taps; ++t) visit(weights[(o * inputs_a_group + place) * taps + t]);
    }
  }
};

std::optional<Layer> layer_of(Node& node) {
  if (!node.is("Conv")) return std::nullopt;
  const Value* const weight = node.input(1);
  if (weight == nullptr || !weight->is_constant() || weight->uses().size() != 1) return std::nullopt;
  auto numbers = weight->floats();
  if (!numbers || numbers->empty() || !weight->type().shape || weight->type().shape->size() < 2) return std::nullopt;
  Layer layer{.node = &node, .shape = *weight->type().shape, .weights = std::move(*numbers), .biases = {}};
  layer.outputs = static_cast<std::size_t>(layer.shape[0]);
  layer.inputs_a_group = static_cast<std::size_t>(layer.shape[1]);
  layer.taps = layer.weights.size() / (layer.outputs * layer.inputs_a_group);
  layer.groups = static_cast<std::size_t>(std::max<std::int64_t>(node.integer("group").value_or(1), 1));
  if (layer.outputs % layer.groups != 0) return std::nullopt;
  if (const Value* const bias = node.input(2)) {
    const auto constants = bias->is_constant() ? bias->floats() : std::nullopt;
    if (!constants || constants->size() != layer.outputs) return std::nullopt;
    layer.biases = *constants;
  }
  return layer;
}

/// Whether a factor above zero may be taken from before a node to behind it.
bool passes_factors(const Node& node) {
  if (node.is("Relu") || node.is("LeakyRelu")) return true;
  return node.is("PRelu") && node.input(1) != nullptr && node.input(1)->is_constant();
}

/// The Conv that alone reads what another gives; nullptr: there is none.
Node* only_reader(const Node& node) {
  const Value* value = node.output(0);
  while (value != nullptr && !value->is_output() && value->uses().size() == 1 && value->uses().front().input == 0) {
    Node* const reader = value->uses().front().node;
    if (reader->is("Conv")) return reader;
    if (!passes_factors(*reader)) return nullptr;
    value = reader->output(0);
  }
  return nullptr;
}

/// @return the largest change of a factor from 1, of a channel whose weights are not all zero
double equalize(Layer& first, Layer& second) {
  double largest = 0;
  for (std::size_t channel = 0; channel < first.outputs; ++channel) {
    double made = 0, read = 0;
    first.for_output(channel, [&](float& weight) { made = std::max(made, std::abs(static_cast<double>(weight))); });
    second.for_input(channel, [&](float& weight) { read = std::max(read, std::abs(static_cast<double>(weight))); });
    if (!(made > 0) || !(read > 0) || !std::isfinite(made) || !std::isfinite(read)) continue;
    const double factor = std::sqrt(made / read);  // what the first gives is divided by it
    const auto smaller = static_cast<float>(1 / factor), larger = static_cast<float>(factor);
    first.for_output(channel, [&](float& weight) { weight *= smaller; });
    if (!first.biases.empty()) first.biases[channel] *= smaller;
    second.for_input(channel, [&](float& weight) { weight *= larger; });
    largest = std::max(largest, std::abs(std::log(factor)));
  }
  return largest;
}

void replace_constant(Rewriter& graph, Node& node, std::size_t input, const tensor::Shape& shape,
                      const std::vector<float>& numbers) {
  Value& old = *node.input(input);
  Value& made =
      graph.add_initializer(graph.main(), old.name() + "_equalized",
                            {.element_type = compile::onnx_graph::element_type_of_dtype(tensor::Dtype::kFloat32),
                             .shape = shape,
                             .bytes = std::as_bytes(std::span(numbers))});
  graph.set_input(node, input, &made);
  graph.remove_if_unused(old);
}

}  // namespace

int equalize_layers(Rewriter& graph) {
  std::map<const Node*, Layer> layers;
  for (Node* node : graph.main().nodes()) {
    if (auto layer = layer_of(*node)) layers.emplace(node, std::move(*layer));
  }
  std::vector<std::pair<Layer*, Layer*>> pairs;
  for (const Node* node : graph.main().nodes()) {
    const auto first = layers.find(node);
    const auto second = first == layers.end() ? layers.end() : layers.find(only_reader(*node));
    if (second == layers.end() || first->second.outputs != second->second.inputs_a_group * second->second.groups)
      continue;
    pairs.emplace_back(&first->second, &second->second);
  }
  for (int round = 0; round < kMostRounds; ++round) {
    double largest = 0;
    for (const auto& [first, second] : pairs) {
      largest = std::max(largest, equalize(*first, *second));
      first->is_changed = second->is_changed = true;
    }
    if (largest < kSmallChange) break;
  }
  const std::vector<Node*> nodes = graph.main().nodes();
  for (const Node* node : nodes) {
    const auto found = layers.find(node);
    if (found == layers.end() || !found->second.is_changed) continue;
    const Layer& layer = found->second;
    replace_constant(graph, *layer.node, 1, layer.shape, layer.weights);
    if (layer.biases.empty()) continue;
    replace_constant(graph, *layer.node, 2, {static_cast<std::int64_t>(layer.biases.size())}, layer.biases);
  }
  return static_cast<int>(pairs.size());
}

}  // namespace slipway::quantize
