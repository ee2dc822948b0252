#include <algorithm>
#include <array>
#include <cmath>

#include "convert/operators/internal/families.hpp"

/// Tensors from nothing: filled, counted, triangular.
namespace slipway::convert::operators::internal {
namespace {

Operand filled(Call& call, ScalarType type, const std::vector<Operand>& sizes, const Operand& value) {
  return call.expand(call.number(value, type), sizes);
}
ScalarType type_or(Call& call, ScalarType otherwise) {
  return call.has_parameter("dtype") ? call.dtype("dtype").value_or(otherwise) : otherwise;
}
ScalarType type_of(const Operand& value) {
  if (value.get<bool>() != nullptr) return ScalarType::kBool;
  if (value.get<double>() != nullptr) return ScalarType::kFloat32;
  if (const auto* const number = value.get<Number>()) {
    return is_floating(number->tensor.dtype) ? ScalarType::kFloat32 : number->tensor.dtype;
  }
  return ScalarType::kInt64;
}

template <int value>
Operand constant(Call& call) {
  return filled(call, type_or(call, ScalarType::kFloat32), call.sizes("size"), std::int64_t{value});
}
template <int value>
Operand constant_like(Call& call) {
  const Tensor x = call.tensor("self");
  return filled(call, type_or(call, x.dtype), call.sizes_of(x), std::int64_t{value});
}
template <int value>
Operand new_constant(Call& call) {
  return filled(call, type_or(call, call.tensor("self").dtype), call.sizes("size"), std::int64_t{value});
}
Operand full(Call& call) {
  const Operand& value = call.operand("fill_value");
  return filled(call, type_or(call, type_of(value)), call.sizes("size"), value);
}
Operand full_like(Call& call) {
  const Tensor x = call.tensor("self");
  return filled(call, type_or(call, x.dtype), call.sizes_of(x), call.operand("fill_value"));
}
Operand new_full(Call& call) {
  return filled(call, type_or(call, call.tensor("self").dtype), call.sizes("size"), call.operand("fill_value"));
}
/// The shape of `self` filled with a value: what is left of an in-place fill.
Operand fill(Call& call) {
  const Tensor x = call.tensor("self");
  return filled(call, x.dtype, call.sizes_of(x), call.operand("value"));
}
Operand scalar_tensor(Call& call) {
  return call.number(call.operand("s"), type_or(call, ScalarType::kFloat32));
}

Operand arange(Call& call) {
  const Operand zero = std::int64_t{0}, one = std::int64_t{1};
  const Operand& start = call.has_parameter("start") ? call.operand("start") : zero;
  const Operand& step = call.has_parameter("step") ? call.operand("step") : one;
  const Operand& end = call.operand("end");
  ScalarType type = ScalarType::kInt64;
  for (const Operand* const each : {&start, &end, &step}) {
    if (is_floating(type_of(*each))) type = ScalarType::kFloat32;
  }
  type = type_or(call, type);
  const bool is_computed =
      start.get<Number>() != nullptr || end.get<Number>() != nullptr || step.get<Number>() != nullptr;
  if (is_computed) {
    return call.add("Range", {call.number(start, type), call.number(end, type), call.number(step, type)});
  }
  const auto real = [](const Operand& each) -> double {
    if (const auto* const number = each.get<double>()) return *number;
    if (const auto* const number = each.get<std::int64_t>()) return static_cast<double>(*number);
    refuse("a number is expected, found {}", describe(each));
  };
  const double first = real(start), stride = real(step);
  const double count = std::ceil((real(end) - first) / stride);
  if (!(count >= 0 && count <= (1 << 24))) refuse("a range of {} elements", count);
  Builder& b = call.builder();
  const Tensor places = b.integers(counted(static_cast<std::int64_t>(count)));
  if (start.get<std::int64_t>() != nullptr && step.get<std::int64_t>() != nullptr) {
    const Tensor scaled = call.add("Mul", {places, b.integer(*step.get<std::int64_t>())});
    return call.cast(call.add("Add", {scaled, b.integer(*start.get<std::int64_t>())}), type);
  }
  const Tensor scaled =
      call.add("Mul", {call.cast(places, ScalarType::kFloat64), b.number(ScalarType::kFloat64, stride)});
  return call.cast(call.add("Add", {scaled, b.number(ScalarType::kFloat64, first)}), type);
}

Operand linspace(Call& call) {
  const std::int64_t steps = call.integer("steps");
  const double first = call.real("start"), last = call.real("end");
  if (steps < 0) refuse("'steps' must be at least 0, found {}", steps);
  Builder& b = call.builder();
  const Tensor places = call.cast(b.integers(counted(steps)), ScalarType::kFloat64);
  const double stride = steps > 1 ? (last - first) / static_cast<double>(steps - 1) : 0;
  const Tensor scaled = call.add("Mul", {places, b.number(ScalarType::kFloat64, stride)});
  return call.cast(call.add("Add", {scaled, b.number(ScalarType::kFloat64, first)}),
                   type_or(call, ScalarType::kFloat32));
}

Operand eye(Call& call) {
  const std::int64_t rows = call.integer("n"), columns = call.has_parameter("m") ? call.integer("m") : rows;
  Builder& b = call.builder();
  const Tensor equal =
      call.add("Equal", {call.unsqueeze(b.integers(counted(rows)), {1}), b.integers(counted(columns))});
  return call.cast(equal, type_or(call, ScalarType::kFloat32));
}

Operand triangle(Call& call, bool is_upper) {
  const Tensor x = call.tensor("self");
  const std::int64_t diagonal = call.integer("diagonal");
  const std::int64_t rows = x.shape.at(x.shape.size() - 2), columns = x.shape.back();
  Builder& b = call.builder();
  if (rows >= 0 && columns >= 0 && x.constant != nullptr) {
    const Tensor row = call.unsqueeze(b.integers(counted(rows)), {1}), column = b.integers(counted(columns));
    const Tensor shifted = call.add("Sub", {column, b.integer(diagonal)});
    const Tensor is_inside = call.add(is_upper ? "GreaterOrEqual" : "LessOrEqual", {shifted, row});
    return call.add("Where", {is_inside, x, b.number(x.dtype, std::int64_t{0})});
  }
  const bool is_bool = x.dtype == ScalarType::kBool;
  const Tensor wide = is_bool ? call.cast(x, ScalarType::kInt64) : x;
  return call.cast(call.add("Trilu", {wide, b.integer(diagonal)}, {{"upper", std::int64_t{is_upper}}}), x.dtype);
}
Operand tril(Call& call) {
  return triangle(call, false);
}
Operand triu(Call& call) {
  return triangle(call, true);
}

#define SLIPWAY_OPTIONS ", ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None"
#define SLIPWAY_LIKE SLIPWAY_OPTIONS ", MemoryFormat? memory_format=None)"

constexpr auto kCreationOperators = std::to_array<Operator>({
    {"aten.zeros.default(int[] size" SLIPWAY_OPTIONS ")", constant<0>},
    {"aten.ones.default(int[] size" SLIPWAY_OPTIONS ")", constant<1>},
    {"aten.empty.memory_format(int[] size" SLIPWAY_LIKE, constant<0>},
    {"aten.zeros_like.default(Tensor self" SLIPWAY_LIKE, constant_like<0>},
    {"aten.ones_like.default(Tensor self" SLIPWAY_LIKE, constant_like<1>},
    {"aten.empty_like.default(Tensor self" SLIPWAY_LIKE, constant_like<0>},
    {"aten.new_zeros.default(Tensor self, int[] size" SLIPWAY_OPTIONS ")", new_constant<0>},
    {"aten.new_ones.default(Tensor self, int[] size" SLIPWAY_OPTIONS ")", new_constant<1>},
    {"aten.new_empty.default(Tensor self, int[] size" SLIPWAY_OPTIONS ")", new_constant<0>},
    {"aten.full.default(int[] size, Scalar fill_value" SLIPWAY_OPTIONS ")", full},
    {"aten.full_like.default(Tensor self, Scalar fill_value" SLIPWAY_LIKE, full_like},
    {"aten.new_full.default(Tensor self, int[] size, Scalar fill_value" SLIPWAY_OPTIONS ")", new_full},
    {"aten.fill.Scalar(Tensor self, Scalar value)", fill},
    {"aten.fill.Tensor(Tensor self, Tensor value)", fill},
    {"aten.zero.default(Tensor self)", constant_like<0>},
    {"aten.scalar_tensor.default(Scalar s" SLIPWAY_OPTIONS ")", scalar_tensor},
    {"aten.arange.default(Scalar end" SLIPWAY_OPTIONS ")", arange},
    {"aten.arange.start(Scalar start, Scalar end" SLIPWAY_OPTIONS ")", arange},
    {"aten.arange.start_step(Scalar start, Scalar end, Scalar step=1" SLIPWAY_OPTIONS ")", arange},
    {"aten.linspace.default(Scalar start, Scalar end, int steps" SLIPWAY_OPTIONS ")", linspace},
    {"aten.eye.default(int n" SLIPWAY_OPTIONS ")", eye},
    {"aten.eye.m(int n, int m" SLIPWAY_OPTIONS ")", eye},
    {"aten.tril.default(Tensor self, int diagonal=0)", tril},
    {"aten.triu.default(Tensor self, int diagonal=0)", triu},
});

}  // namespace

std::span<const Operator> creation_operators() {
  return kCreationOperators;
}

}  // namespace slipway::convert::operators::internal
