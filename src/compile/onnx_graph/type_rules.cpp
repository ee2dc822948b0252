#include "compile/onnx_graph/type_rules.hpp"

#include <algorithm>
#include <array>

#include "compile/onnx_graph/element_type.hpp"

namespace slipway::compile::onnx_graph::type_rules {
namespace {

struct RuleRow {
  std::string_view op_type;
  Rule rule;
};

constexpr auto kRules = std::to_array<RuleRow>({
    {"Abs", same},
    {"Acos", same},
    {"Acosh", same},
    {"Add", elementwise},
    {"And", comparison},
    {"ArgMax", arg_extreme},
    {"ArgMin", arg_extreme},
    {"Asin", same},
    {"Asinh", same},
    {"Atan", same},
    {"Atanh", same},
    {"AveragePool", pool},
    {"BatchNormalization", same_for_first},
    {"BitwiseAnd", elementwise},
    {"BitwiseNot", same},
    {"BitwiseOr", elementwise},
    {"BitwiseXor", elementwise},
    {"Cast", cast},
    {"Ceil", same},
    {"Celu", same},
    {"Clip", same},
    {"Concat", concat},
    {"Conv", conv},
    {"ConstantOfShape", constant_of_shape},
    {"ConvTranspose", conv_transpose},
    {"Cos", same},
    {"Cosh", same},
    {"CumSum", same},
    {"DepthToSpace", depth_to_space},
    {"DequantizeLinear", dequantize},
    {"Div", elementwise},
    {"Dropout", same_for_first},
    {"Elu", same},
    {"Equal", comparison},
    {"Erf", same},
    {"Exp", same},
    {"Expand", expand},
    {"Flatten", flatten},
    {"Floor", same},
    {"GRU", recurrent},
    {"Gather", gather},
    {"GatherElements", gather_elements},
    {"GatherND", gather_nd},
    {"Gelu", same},
    {"Gemm", gemm},
    {"GlobalAveragePool", global_pool},
    {"GlobalMaxPool", global_pool},
    {"Greater", comparison},
    {"GreaterOrEqual", comparison},
    {"GridSample", grid_sample},
    {"GroupNormalization", same},
    {"HardSigmoid", same},
    {"HardSwish", same},
    {"Identity", same},
    {"If", given_by_branches},
    {"InstanceNormalization", same},
    {"IsInf", test},
    {"IsNaN", test},
    {"LSTM", recurrent},
    {"LayerNormalization", same_for_first},
    {"LeakyRelu", same},
    {"Less", comparison},
    {"LessOrEqual", comparison},
    {"Log", same},
    {"LogSoftmax", same},
    {"LpNormalization", same},
    {"MatMul", mat_mul},
    {"Max", elementwise},
    {"MaxPool", pool},
    {"Min", elementwise},
    {"Mish", same},
    {"Mod", elementwise},
    {"Mul", elementwise},
    {"Neg", same},
    {"NonZero", non_zero},
    {"Not", test},
    {"Or", comparison},
    {"PRelu", elementwise},  // in ONNX the slopes are broadcast to the data, in ONNX Runtime both ways
    {"Pad", pad},
    {"Pow", elementwise},
    {"QuantizeLinear", quantize},
    {"RNN", recurrent},
    {"Range", range},
    {"Reciprocal", same},
    {"ReduceL1", reduce},
    {"ReduceL2", reduce},
    {"ReduceLogSumExp", reduce},
    {"ReduceMax", reduce},
    {"ReduceMean", reduce},
    {"ReduceMin", reduce},
    {"ReduceProd", reduce},
    {"ReduceSum", reduce},
    {"Relu", same},
    {"Reshape", reshape},
    {"Resize", resize},
    {"Round", same},
    {"ScatterElements", same},
    {"ScatterND", same},
    {"Selu", same},
    {"Shape", shape_of},
    {"Shrink", same},
    {"Sigmoid", same},
    {"Sign", same},
    {"Sin", same},
    {"Sinh", same},
    {"Size", size_of},
    {"Slice", slice},
    {"Softmax", same},
    {"Softplus", same},
    {"Softsign", same},
    {"SpaceToDepth", moved},
    {"Split", split},
    {"Sqrt", same},
    {"Squeeze", squeeze},
    {"Sub", elementwise},
    {"Tan", same},
    {"Tanh", same},
    {"ThresholdedRelu", same},
    {"Tile", tile},
    {"TopK", top_k},
    {"Transpose", transpose},
    {"Trilu", same},
    {"Unsqueeze", unsqueeze},
    {"Upsample", moved},
    {"Where", where},
    {"Xor", comparison},
});

}  // namespace

ValueType Facts::type(std::size_t i) const {
  const Value* const value = node.input(i);
  return value == nullptr ? ValueType{} : inferred.type(*value);
}

std::optional<Integers> Facts::integers(std::size_t i) const {
  const Value* const value = node.input(i);
  return value == nullptr ? std::nullopt : inferred.integers(*value);
}

std::optional<Integers> Facts::axes(std::size_t i) const {
  if (const auto attribute = node.integers("axes")) return attribute;
  return integers(i);
}

std::optional<int> number(tensor::Dtype dtype) {
  return element_type_of_dtype(dtype);
}

std::optional<std::size_t> place(std::int64_t axis, std::size_t rank) {
  if (axis < 0) axis += static_cast<std::int64_t>(rank);
  return axis >= 0 && axis < static_cast<std::int64_t>(rank) ? std::optional(static_cast<std::size_t>(axis))
                                                             : std::nullopt;
}

bool mark(const Integers& axes, std::vector<bool>& marked) {
  for (const std::int64_t axis : axes) {
    const auto at = place(axis, marked.size());
    if (!at) return false;
    marked[*at] = true;
  }
  return true;
}

KnownShape open_of_rank(const KnownShape& list) {
  // A model may say what it likes of the list's length; no tensor has so many axes.
  constexpr std::int64_t kMostAxes = 64;
  const bool has_rank = list && list->size() == 1 && (*list)[0] >= 0 && (*list)[0] <= kMostAxes;
  return has_rank ? KnownShape(Shape(static_cast<std::size_t>((*list)[0]), kOpen)) : std::nullopt;
}

KnownShape broadcast(const KnownShape& a, const KnownShape& b) {
  if (!a || !b) return std::nullopt;
  Shape result(std::max(a->size(), b->size()));
  for (std::size_t i = 0; i < result.size(); ++i) {
    const std::int64_t x = i < a->size() ? (*a)[a->size() - 1 - i] : 1;
    const std::int64_t y = i < b->size() ? (*b)[b->size() - 1 - i] : 1;
    std::int64_t& size = result[result.size() - 1 - i];
    if (x == 1) {
      size = y;
    } else if (y == 1 || x == y) {
      size = x;
    } else if (x < 0 || y < 0) {
      size = std::max(x, y);  // the open one is 1 or the same
    } else {
      return std::nullopt;
    }
  }
  return result;
}

std::optional<std::int64_t> product(std::span<const std::int64_t> sizes) {
  return tensor::element_count(Shape(sizes.begin(), sizes.end()));
}

Rule find(std::string_view op_type) {
  const auto row = std::ranges::find(kRules, op_type, &RuleRow::op_type);
  return row == kRules.end() ? nullptr : row->rule;
}

std::vector<std::string_view> operators() {
  std::vector<std::string_view> names;
  for (const RuleRow& row : kRules) names.push_back(row.op_type);
  return names;
}

}  // namespace slipway::compile::onnx_graph::type_rules
