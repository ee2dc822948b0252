#include "quantize/operator_rules.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace slipway::quantize {

using compile::onnx_graph::Node;
using compile::onnx_graph::Value;

namespace {

using enum Handling;

constexpr auto kRules = std::to_array<OperatorRule>({
    {"Conv", kWeighted, 2},
    {"ConvTranspose", kWeighted, 2},
    {"Gemm", kWeighted, 2},
    {"MatMul", kWeighted, 2},
    {"InstanceNormalization", kNormalizes},
    {"LayerNormalization", kNormalizes},

    {"Add", kComputes, 2},
    {"Sub", kComputes, 2},
    {"Mul", kComputes, 2},
    {"Div", kComputes, 2},
    {"Min", kComputes, -1},
    {"Max", kComputes, -1},
    {"Pow", kComputes, 2},
    {"PRelu", kComputes, 2},
    {"Where", kComputes, 2, 1},
    {"Relu", kComputes},
    {"Clip", kComputes},
    {"LeakyRelu", kComputes},
    {"Elu", kComputes},
    {"Gelu", kComputes},
    {"HardSwish", kComputes},
    {"Softplus", kComputes},
    {"Abs", kComputes},
    {"Neg", kComputes},
    {"Sqrt", kComputes},
    {"Exp", kComputes},
    {"Log", kComputes},
    {"Sin", kComputes},
    {"Cos", kComputes},
    {"AveragePool", kComputes},
    {"GlobalAveragePool", kComputes},
    {"ReduceMean", kComputes},
    {"ReduceSum", kComputes},
    {"LpNormalization", kComputes},
    {"LogSoftmax", kComputes},
    {"Upsample", kMoves},
    {"Resize", kMoves},
    {"MaxPool", kMoves},
    {"GlobalMaxPool", kMoves},
    {"ReduceMax", kMoves},
    {"ReduceMin", kMoves},
    {"Reshape", kMoves},
    {"Transpose", kMoves},
    {"Flatten", kMoves},
    {"Squeeze", kMoves},
    {"Unsqueeze", kMoves},
    {"Slice", kMoves},
    {"Split", kMoves, 1, 0, -1},
    {"Gather", kMoves},
    {"GatherElements", kMoves},
    {"Expand", kMoves},
    {"Tile", kMoves},
    {"DepthToSpace", kMoves},
    {"SpaceToDepth", kMoves},
    {"Identity", kMoves},
    {"TopK", kMoves},
    {"Concat", kJoins, -1},
    {"Sigmoid", kBounded},
    {"HardSigmoid", kBounded},
    {"Softmax", kBounded},
    {"Tanh", kBounded},
});

/// What pads is stored with what is padded only where it is zero, or a copy of it.
bool is_simple_pad(const Node& node) {
  if (node.text("mode").value_or("constant") != "constant") return true;
  const Value* const filler = node.input(2);
  return filler == nullptr ? node.real("value").value_or(0) == 0 : filler->is_constant() && filler->scalar() == 0;
}

constexpr OperatorRule kPad = {"Pad", kMoves};

double constant_limit(const Node& node, std::size_t input, std::string_view attribute, double open) {
  if (const Value* const value = node.input(input)) {
    const auto number = value->is_constant() ? value->scalar() : std::nullopt;
    return number.value_or(std::numeric_limits<double>::quiet_NaN());
  }
  const auto number = node.real(attribute);
  return number ? static_cast<double>(*number) : open;
}

}  // namespace

const OperatorRule* find_rule(const Node& node) {
  if (!node.is_standard()) return nullptr;
  if (node.is("Pad")) return is_simple_pad(node) ? &kPad : nullptr;
  const auto* const rule = std::ranges::find(kRules, node.op_type(), &OperatorRule::op_type);
  return rule == kRules.end() ? nullptr : rule;
}

std::vector<std::size_t> data_inputs(const OperatorRule& rule, const Node& node) {
  const std::size_t wanted = rule.data_inputs < 0 ? node.inputs().size() : static_cast<std::size_t>(rule.data_inputs);
  const auto first = static_cast<std::size_t>(rule.first_data_input);
  std::vector<std::size_t> positions;
  for (std::size_t i = first; i < std::min(node.inputs().size(), first + wanted); ++i) {
    if (node.input(i) != nullptr) positions.push_back(i);
  }
  return positions;
}

std::vector<Value*> data_outputs(const OperatorRule& rule, const Node& node) {
  std::vector<Value*> outputs;
  for (std::size_t i = 0; i < node.outputs().size(); ++i) {
    if (rule.data_outputs >= 0 && i >= static_cast<std::size_t>(rule.data_outputs)) break;
    if (Value* const output = node.output(i)) outputs.push_back(output);
  }
  return outputs;
}

std::optional<Range> natural_range(const Node& node, ActivationType type) {
  const auto* const rule = find_rule(node);
  if (rule == nullptr || rule->handling != kBounded) return std::nullopt;
  const bool has_sign = node.is("Tanh");
  const double steps = static_cast<double>(1LL << bits_of(type));
  // Steps of a power of two, as the kernels of NPUs have them: the last one below 1 stands for it.
  if (type == ActivationType::kInt16) return Range{has_sign ? -1.0 : 0.0, 1.0 - 2 / steps};
  return has_sign ? Range{-1, 1 - 2 / steps} : Range{0, 1 - 1 / steps};
}

std::optional<Range> clipping_range(const Node& node) {
  constexpr double kOpen = std::numeric_limits<double>::infinity();
  if (node.is("Relu")) return Range{0, kOpen};
  if (!node.is("Clip")) return std::nullopt;
  const Range range{constant_limit(node, 1, "min", -kOpen), constant_limit(node, 2, "max", kOpen)};
  return range.lowest <= range.highest ? std::optional(range) : std::nullopt;  // NaN: a limit is not constant
}

std::optional<std::int64_t> channel_axis(const Node& node, const tensor::Shape& weight) {
  const auto rank = static_cast<std::int64_t>(weight.size());
  if (rank < 2) return std::nullopt;
  if (node.is("Conv")) return 0;
  if (node.is("ConvTranspose")) return 1;
  if (node.is("Gemm")) return node.integer("transB").value_or(0) != 0 ? 0 : 1;
  // A batch of matrices has its columns in more than one place.
  if (node.is("MatMul") && rank == 2) return 1;
  return std::nullopt;
}

}  // namespace slipway::quantize
