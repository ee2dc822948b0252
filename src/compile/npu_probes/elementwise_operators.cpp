#include "compile/npu_probes/probes.hpp"

namespace slipway::compile::npu_probes {
namespace {

using onnx_graph::Attributes;
using tensor::Dtype;
using tensor::Shape;

/// Every rank for float32, which is what most graphs are made of; two for the other kinds.
bool is_of_interest(ElementKind kind, const std::string& shape) {
  return kind == ElementKind::kFloat32 || shape == "rank 4" || shape == "rank 1" || shape == "broadcast" ||
         shape == "wide";
}

Range default_range(ElementKind kind) {
  const bool is_integer = kind == ElementKind::kInt32 || kind == ElementKind::kInt64 || kind == ElementKind::kUint8;
  return is_integer ? Range{.low = -100, .high = 100} : Range{.low = -4, .high = 4};
}

/// A range in which 16 bits, or a mantissa of 24, are not enough.
Range wide_range(ElementKind kind) {
  if (kind == ElementKind::kInt64) return {.low = -0x1p40, .high = 0x1p40};
  if (kind == ElementKind::kInt32) return {.low = -0x1p30, .high = 0x1p30};
  return {.low = -1e5, .high = 1e5};
}

bool has_wide_range(ElementKind kind) {
  return kind == ElementKind::kInt64 || kind == ElementKind::kInt32 || kind == ElementKind::kFloat32;
}

enum class Gives { kSameKind, kTruth };

void end(Sketch& sketch, Sketch::Value* value, Gives gives) {
  if (gives == Gives::kSameKind) return sketch.output(value);
  sketch.output_of_other_type(value);
}

struct Unary {
  const char* name;
  Kinds kinds;
  std::optional<Range> range = std::nullopt;
  Attributes attributes = {};
  Gives gives = Gives::kSameKind;
  std::int64_t opset = 17;
};

void add(std::vector<Probe>& probes, const Unary& row) {
  const auto one = [&](ElementKind kind, const std::string& name, const Shape& shape, Range range) {
    probes.push_back({.operator_name = row.name, .kind = kind, .shape = name, .opset = row.opset});
    probes.back().draw = [row, shape, range](Sketch& sketch) {
      end(sketch, sketch.node(row.name, {sketch.input(shape, range)}, row.attributes), row.gives);
    };
  };
  for (const ElementKind kind : row.kinds) {
    for (const auto& [name, shape] : named_shapes()) {
      if (is_of_interest(kind, name)) one(kind, name, shape, row.range.value_or(default_range(kind)));
    }
  }
}

struct Binary {
  const char* name;
  Kinds kinds;
  Range left = {.low = -4, .high = 4}, right = {.low = -4, .high = 4};
  bool integers_have_own_range = true;
  Gives gives = Gives::kSameKind;
  bool has_wide = true;
};

void add(std::vector<Probe>& probes, const Binary& row) {
  const auto one = [&](ElementKind kind, const std::string& name, const Shape& left, const Shape& right, Range range_l,
                       Range range_r) {
    probes.push_back({.operator_name = row.name, .kind = kind, .shape = name});
    probes.back().draw = [row, left, right, range_l, range_r](Sketch& sketch) {
      auto* const first = sketch.input(left, range_l);
      end(sketch, sketch.node(row.name, {first, sketch.input(right, range_r)}), row.gives);
    };
  };
  for (const ElementKind kind : row.kinds) {
    const bool is_float = row_of(kind).dtype == Dtype::kFloat32;
    const Range left = is_float || !row.integers_have_own_range ? row.left : default_range(kind);
    const Range right = is_float || !row.integers_have_own_range ? row.right : default_range(kind);
    for (const auto& [name, shape] : named_shapes()) {
      if (is_of_interest(kind, name)) one(kind, name, shape, shape, left, right);
    }
    one(kind, "broadcast", {1, 3, 4, 8}, {3, 1, 1}, left, right);
    if (kind == ElementKind::kFloat32) {
      one(kind, "broadcast both ways", {2, 1, 8}, {1, 3, 1}, left, right);
      one(kind, "broadcast rank 6", {1, 2, 2, 3, 4, 8}, {4, 1}, left, right);
    }
    if (row.has_wide && has_wide_range(kind)) {
      one(kind, "wide", {1, 3, 4, 8}, {1, 3, 4, 8}, wide_range(kind), wide_range(kind));
    }
  }
}

void add_cast(std::vector<Probe>& probes) {
  struct Target {
    Dtype dtype;
    const char* name;
    int number;  // of TensorProto.DataType
  };
  static const std::vector<Target> kTargets = {{Dtype::kFloat32, "to float32", 1}, {Dtype::kFloat16, "to float16", 10},
                                               {Dtype::kInt32, "to int32", 6},     {Dtype::kInt64, "to int64", 7},
                                               {Dtype::kUint8, "to uint8", 2},     {Dtype::kBool, "to bool", 9}};
  for (const ElementKind kind :
       {ElementKind::kFloat32, ElementKind::kInt32, ElementKind::kInt64, ElementKind::kUint8, ElementKind::kBool}) {
    for (const Target& target : kTargets) {
      if (target.dtype == row_of(kind).dtype) continue;
      const bool is_unsigned = kind == ElementKind::kUint8 || target.dtype == Dtype::kUint8;
      const Range range{.low = is_unsigned ? 0.0 : -200.0, .high = 200};
      probes.push_back({.operator_name = "Cast", .kind = kind, .shape = target.name});
      probes.back().draw = [range, number = target.number](Sketch& sketch) {
        sketch.output_of_other_type(
            sketch.node("Cast", {sketch.input({1, 3, 4, 8}, range)}, {{"to", std::int64_t{number}}}));
      };
    }
  }
}

void add_where(std::vector<Probe>& probes) {
  for (const ElementKind kind : all_kinds()) {
    for (const auto& [name, shape] : named_shapes()) {
      if (!is_of_interest(kind, name)) continue;
      probes.push_back({.operator_name = "Where", .kind = kind, .shape = name});
      probes.back().draw = [shape = shape](Sketch& sketch) {
        auto* const condition = sketch.input_of(Dtype::kBool, shape, {});
        auto* const first = sketch.input(shape);
        sketch.output(sketch.node("Where", {condition, first, sketch.input(shape)}));
      };
    }
    probes.push_back({.operator_name = "Where", .kind = kind, .shape = "broadcast"});
    probes.back().draw = [](Sketch& sketch) {
      auto* const condition = sketch.input_of(Dtype::kBool, {1, 1, 4, 8}, {});
      auto* const first = sketch.input({1, 3, 4, 8});
      sketch.output(sketch.node("Where", {condition, first, sketch.number(1)}));
    };
  }
}

}  // namespace

void add_elementwise_operators(std::vector<Probe>& probes) {
  const Kinds real = {ElementKind::kFloat32, ElementKind::kQuantizedUint8, ElementKind::kQuantizedUint16};
  const Kinds only_float = {ElementKind::kFloat32};
  const Range positive{.low = 0.05, .high = 4};
  const Range unit{.low = -0.95, .high = 0.95};
  for (const Unary& row : std::vector<Unary>{
           {"Abs", number_kinds()},
           {"Acos", only_float, unit},
           {"Acosh", only_float, Range{.low = 1.1, .high = 4}},
           {"Asin", real, unit},
           {"Asinh", only_float},
           {"Atan", real},
           {"Atanh", only_float, unit},
           {"Ceil", real},
           {"Celu", only_float},
           {"Cos", real},
           {"Cosh", only_float},
           {"Elu", real},
           {"Erf", only_float},
           {"Exp", real},
           {"Floor", real},
           {"Gelu", real, std::nullopt, {}, Gives::kSameKind, 20},
           {"HardSigmoid", real},
           {"HardSwish", real},
           {"Identity", all_kinds()},
           {"IsInf", only_float, std::nullopt, {}, Gives::kTruth},
           {"IsNaN", only_float, std::nullopt, {}, Gives::kTruth},
           {"LeakyRelu", real, std::nullopt, {{"alpha", 0.1F}}},
           {"Log", real, positive},
           {"Mish", only_float, std::nullopt, {}, Gives::kSameKind, 18},
           {"Neg", number_kinds()},
           {"Not", {ElementKind::kBool}},
           {"Reciprocal", real, positive},
           {"Relu",
            {ElementKind::kFloat32, ElementKind::kQuantizedUint8, ElementKind::kQuantizedInt8,
             ElementKind::kQuantizedUint16, ElementKind::kInt32}},
           {"Round", real},
           {"Selu", only_float},
           {"Sigmoid", float_kinds()},
           {"Sign", {ElementKind::kFloat32, ElementKind::kQuantizedUint8, ElementKind::kInt32, ElementKind::kInt64}},
           {"Sin", real},
           {"Sinh", only_float},
           {"Softplus", real},
           {"Softsign", only_float},
           {"Sqrt", real, positive},
           {"Tan", only_float, unit},
           {"Tanh", float_kinds()},
           {"ThresholdedRelu", only_float},
       }) {
    add(probes, row);
  }
  const Range away_from_zero{.low = 0.5, .high = 4};
  for (const Binary& row : std::vector<Binary>{
           {.name = "Add", .kinds = number_kinds()},
           {.name = "Sub", .kinds = number_kinds()},
           {.name = "Mul", .kinds = number_kinds(), .has_wide = false},
           {.name = "Div",
           .kinds = {ElementKind::kFloat32, ElementKind::kQuantizedUint8, ElementKind::kQuantizedUint16},
           .right = away_from_zero,
           .has_wide = false},
           {.name = "Div",
           .kinds = {ElementKind::kInt32, ElementKind::kInt64},
           .left = {.low = -100, .high = 100},
           .right = {.low = 1, .high = 9},
           .integers_have_own_range = false,
           .has_wide = false},
           {.name = "Mod",
           .kinds = {ElementKind::kInt32, ElementKind::kInt64},
           .left = {.low = -100, .high = 100},
           .right = {.low = 1, .high = 9},
           .integers_have_own_range = false,
           .has_wide = false},
           {.name = "Pow",
           .kinds = {ElementKind::kFloat32, ElementKind::kQuantizedUint8},
           .left = positive,
           .right = {.low = -2, .high = 2},
           .has_wide = false},
           {.name = "PRelu",
           .kinds = {ElementKind::kFloat32, ElementKind::kQuantizedUint8},
           .right = unit,
           .has_wide = false},
           {.name = "Max", .kinds = number_kinds()},
           {.name = "Min", .kinds = number_kinds()},
           {.name = "Equal",
           .kinds = {ElementKind::kFloat32, ElementKind::kInt32, ElementKind::kInt64, ElementKind::kBool},
           .left = {.low = -2, .high = 2},
           .right = {.low = -2, .high = 2},
           .integers_have_own_range = false,
           .gives = Gives::kTruth},
           {.name = "Greater",
           .kinds = {ElementKind::kFloat32, ElementKind::kInt32, ElementKind::kInt64},
           .gives = Gives::kTruth},
           {.name = "GreaterOrEqual",
           .kinds = {ElementKind::kFloat32, ElementKind::kInt32, ElementKind::kInt64},
           .gives = Gives::kTruth},
           {.name = "Less",
           .kinds = {ElementKind::kFloat32, ElementKind::kInt32, ElementKind::kInt64},
           .gives = Gives::kTruth},
           {.name = "LessOrEqual",
           .kinds = {ElementKind::kFloat32, ElementKind::kInt32, ElementKind::kInt64},
           .gives = Gives::kTruth},
           {.name = "And", .kinds = {ElementKind::kBool}},
           {.name = "Or", .kinds = {ElementKind::kBool}},
           {.name = "Xor", .kinds = {ElementKind::kBool}},
       }) {
    add(probes, row);
  }
  add_where(probes);
  add_cast(probes);
}

}  // namespace slipway::compile::npu_probes
