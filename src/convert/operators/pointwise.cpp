#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>

#include "convert/operators/internal/families.hpp"

/// Elementwise arithmetic, comparison, activations and conversions of type.
namespace slipway::convert::operators::internal {
namespace {

/// The type that ONNX Runtime computes small integers and booleans in: they are widened and narrowed back.
ScalarType computable(ScalarType type) {
  const bool is_wide = is_floating(type) || type == ScalarType::kInt32 || type == ScalarType::kInt64;
  return is_wide ? type : ScalarType::kInt32;
}

ScalarType floating(ScalarType type) {
  return is_floating(type) ? type : ScalarType::kFloat32;
}

struct Pair {
  Tensor a, b;
  ScalarType type;  ///< that the result has; the operands may be wider
};

Pair promoted_pair(Call& call, std::string_view first = "self", std::string_view second = "other") {
  const ScalarType type = promoted({&call.operand(first), &call.operand(second)});
  return {call.number(call.operand(first), computable(type)), call.number(call.operand(second), computable(type)),
          type};
}

Operand binary(Call& call, const std::string& op_type) {
  const Pair pair = promoted_pair(call);
  return call.cast(call.add(op_type, {pair.a, pair.b}), pair.type);
}

/// `other` times `alpha`.
Tensor scaled(Call& call, const Tensor& tensor) {
  if (!call.has_parameter("alpha")) return tensor;
  const auto* const integer = call.operand("alpha").get<std::int64_t>();
  if (integer != nullptr && *integer == 1) return tensor;
  if (call.real("alpha") == 1.0) return tensor;
  return call.add("Mul", {tensor, call.number(call.operand("alpha"), tensor.dtype)});
}

Operand add(Call& call) {
  const Pair pair = promoted_pair(call);
  if (pair.type == ScalarType::kBool) {
    return call.add("Or", {call.cast(pair.a, ScalarType::kBool), call.cast(pair.b, ScalarType::kBool)});
  }
  return call.cast(call.add("Add", {pair.a, scaled(call, pair.b)}), pair.type);
}
Operand subtract(Call& call) {
  const Pair pair = promoted_pair(call);
  return call.cast(call.add("Sub", {pair.a, scaled(call, pair.b)}), pair.type);
}
Operand reverse_subtract(Call& call) {
  const Pair pair = promoted_pair(call);
  return call.cast(call.add("Sub", {pair.b, scaled(call, pair.a)}), pair.type);
}
Operand multiply(Call& call) {
  const Pair pair = promoted_pair(call);
  if (pair.type == ScalarType::kBool) {
    return call.add("And", {call.cast(pair.a, ScalarType::kBool), call.cast(pair.b, ScalarType::kBool)});
  }
  return call.cast(call.add("Mul", {pair.a, pair.b}), pair.type);
}

/// Integer division that rounds down: ONNX truncates.
Tensor floor_divided(Call& call, const Tensor& a, const Tensor& b) {
  if (is_floating(a.dtype)) return call.add("Floor", {call.add("Div", {a, b})});
  const Tensor remainder = call.add("Mod", {a, b});  // of the divisor's sign
  return call.add("Div", {call.add("Sub", {a, remainder}), b});
}

Operand divide(Call& call) {
  const Pair pair = promoted_pair(call);
  if (!call.has("rounding_mode")) {
    const ScalarType type = floating(pair.type);
    return call.add("Div", {call.cast(pair.a, type), call.cast(pair.b, type)});
  }
  const std::string mode = call.text("rounding_mode");
  if (mode == "floor") return call.cast(floor_divided(call, pair.a, pair.b), pair.type);
  if (mode != "trunc") refuse("rounding_mode must be 'floor' or 'trunc', found '{}'", mode);
  const Tensor quotient = call.add("Div", {pair.a, pair.b});
  if (!is_floating(pair.a.dtype)) return call.cast(quotient, pair.type);
  const Tensor down = call.add("Floor", {call.add("Abs", {quotient})});
  return call.add("Mul", {call.add("Sign", {quotient}), down});
}
Operand floor_divide(Call& call) {
  const Pair pair = promoted_pair(call);
  return call.cast(floor_divided(call, pair.a, pair.b), pair.type);
}
/// Of the divisor's sign, as Python has it.
Operand remainder(Call& call) {
  const Pair pair = promoted_pair(call);
  if (!is_floating(pair.a.dtype)) return call.cast(call.add("Mod", {pair.a, pair.b}), pair.type);
  const Tensor quotient = call.add("Floor", {call.add("Div", {pair.a, pair.b})});
  return call.add("Sub", {pair.a, call.add("Mul", {pair.b, quotient})});
}
/// Of the dividend's sign, as C has it.
Operand fmod(Call& call) {
  const Pair pair = promoted_pair(call);
  return call.cast(call.add("Mod", {pair.a, pair.b}, {{"fmod", std::int64_t{1}}}), pair.type);
}

Operand power(Call& call) {
  const ScalarType type = promoted({&call.operand("self"), &call.operand("exponent")});
  const Tensor base = call.number(call.operand("self"), computable(type));
  const auto* const tensor = call.operand("exponent").get<Tensor>();
  const auto known = tensor == nullptr && call.operand("exponent").get<Number>() == nullptr
                         ? std::optional(call.real("exponent"))
                         : std::nullopt;
  if (known == 2.0) return call.cast(call.add("Mul", {base, base}), type);
  if (known == 1.0) return call.cast(base, type);
  if (known == 0.5 && is_floating(base.dtype)) return call.add("Sqrt", {base});
  if (known == -1.0 && is_floating(base.dtype)) return call.add("Reciprocal", {base});
  if (known == -0.5 && is_floating(base.dtype)) return call.add("Reciprocal", {call.add("Sqrt", {base})});
  return call.cast(call.add("Pow", {base, call.number(call.operand("exponent"), computable(type))}), type);
}

Operand atan2(Call& call) {
  const Pair pair = promoted_pair(call);
  const ScalarType type = floating(pair.type);
  const Tensor y = call.cast(pair.a, type), x = call.cast(pair.b, type);
  const Tensor zero = call.builder().number(type, 0.0), pi = call.builder().number(type, std::numbers::pi);
  const Tensor half = call.builder().number(type, std::numbers::pi / 2);
  const Tensor is_down = call.add("Less", {y, zero}), is_left = call.add("Less", {x, zero});
  const Tensor is_upright = call.add("Equal", {x, zero});
  const Tensor turned = call.add("Where", {is_down, call.add("Neg", {pi}), pi});
  const Tensor plain = call.add("Atan", {call.add("Div", {y, x})});
  const Tensor aside = call.add("Where", {is_left, call.add("Add", {plain, turned}), plain});
  const Tensor up = call.add("Mul", {call.add("Sign", {y}), half});
  return call.add("Where", {is_upright, up, aside});
}

template <std::size_t N>
struct Name {
  constexpr Name(const char (&text)[N]) { std::copy_n(text, N, value); }
  char value[N];
};

/// One ONNX operator of two operands.
template <Name op_type>
Operand two(Call& call) {
  return binary(call, op_type.value);
}
template <Name op_type>
Operand compared(Call& call) {
  const Pair pair = promoted_pair(call);
  return call.add(op_type.value, {pair.a, pair.b});
}
Operand not_equal(Call& call) {
  const Pair pair = promoted_pair(call);
  return call.add("Not", {call.add("Equal", {pair.a, pair.b})});
}
template <Name op_type>
Operand logical(Call& call) {
  return call.add(op_type.value, {call.cast(call.tensor("self"), ScalarType::kBool),
                                  call.cast(call.tensor("other"), ScalarType::kBool)});
}
Operand logical_not(Call& call) {
  return call.add("Not", {call.cast(call.tensor("self"), ScalarType::kBool)});
}
/// On booleans they are the logical ones.
template <Name of_bools, Name of_integers>
Operand bitwise(Call& call) {
  const Pair pair = promoted_pair(call);
  if (pair.type == ScalarType::kBool) {
    return call.add(of_bools.value, {call.cast(pair.a, ScalarType::kBool), call.cast(pair.b, ScalarType::kBool)});
  }
  return call.cast(call.add(of_integers.value, {pair.a, pair.b}), pair.type);
}
Operand bitwise_not(Call& call) {
  const Tensor x = call.tensor("self");
  return call.add(x.dtype == ScalarType::kBool ? "Not" : "BitwiseNot", {x});
}

/// One ONNX operator that takes floats; integers become floats as in ATen.
template <Name op_type>
Operand one(Call& call) {
  const Tensor x = call.tensor("self");
  return call.add(op_type.value, {call.cast(x, floating(x.dtype))});
}
/// One that keeps integers.
template <Name op_type>
Operand same_type(Call& call) {
  const Tensor x = call.tensor("self");
  return call.cast(call.add(op_type.value, {call.cast(x, computable(x.dtype))}), x.dtype);
}
/// Rounding: integers are what they are.
template <Name op_type>
Operand rounded(Call& call) {
  const Tensor x = call.tensor("self");
  return is_floating(x.dtype) ? call.add(op_type.value, {x}) : x;
}
Operand truncated(Call& call) {
  const Tensor x = call.tensor("self");
  if (!is_floating(x.dtype)) return x;
  return call.add("Mul", {call.add("Sign", {x}), call.add("Floor", {call.add("Abs", {x})})});
}
Operand fraction(Call& call) {
  const Tensor x = call.tensor("self");
  return call.add("Sub", {x, call.add("Mul", {call.add("Sign", {x}), call.add("Floor", {call.add("Abs", {x})})})});
}
Operand reciprocal_root(Call& call) {
  const Tensor x = call.tensor("self");
  return call.add("Reciprocal", {call.add("Sqrt", {call.cast(x, floating(x.dtype))})});
}
Operand square(Call& call) {
  const Tensor x = call.cast(call.tensor("self"), computable(call.tensor("self").dtype));
  return call.cast(call.add("Mul", {x, x}), call.tensor("self").dtype);
}
Operand exp_minus_one(Call& call) {
  const Tensor x = call.cast(call.tensor("self"), floating(call.tensor("self").dtype));
  return call.add("Sub", {call.add("Exp", {x}), call.builder().number(x.dtype, 1.0)});
}
Operand exp_two(Call& call) {
  const Tensor x = call.cast(call.tensor("self"), floating(call.tensor("self").dtype));
  return call.add("Pow", {call.builder().number(x.dtype, 2.0), x});
}
Operand log_one_plus(Call& call) {
  const Tensor x = call.cast(call.tensor("self"), floating(call.tensor("self").dtype));
  return call.add("Log", {call.add("Add", {x, call.builder().number(x.dtype, 1.0)})});
}
template <int base>
Operand log_of(Call& call) {
  const Tensor x = call.cast(call.tensor("self"), floating(call.tensor("self").dtype));
  return call.add("Mul", {call.add("Log", {x}), call.builder().number(x.dtype, 1 / std::log(double{base}))});
}
Operand identity(Call& call) {
  return call.operand("self");
}
Operand dropout(Call& call) {
  if (call.flag("train")) refuse("the model was exported in training mode; call eval() before the export");
  return call.operand("input");
}
Operand is_finite(Call& call) {
  const Tensor x = call.tensor("self");
  if (!is_floating(x.dtype)) return call.builder().full(ScalarType::kBool, x.shape, 1);
  return call.add("Not", {call.add("Or", {call.add("IsInf", {x}), call.add("IsNaN", {x})})});
}
template <Name op_type>
Operand tested(Call& call) {
  const Tensor x = call.tensor("self");
  return call.add(op_type.value, {call.cast(x, floating(x.dtype))});
}
Operand nan_to_num(Call& call) {
  const Tensor x = call.tensor("self");
  if (!is_floating(x.dtype)) return x;
  const double largest = x.dtype == ScalarType::kFloat16   ? 65504.0
                         : x.dtype == ScalarType::kFloat64 ? std::numeric_limits<double>::max()
                                                           : double{std::numeric_limits<float>::max()};
  Builder& b = call.builder();
  const Tensor no = b.number(x.dtype, call.has("nan") ? call.real("nan") : 0.0);
  const Tensor high = b.number(x.dtype, call.has("posinf") ? call.real("posinf") : largest);
  const Tensor low = b.number(x.dtype, call.has("neginf") ? call.real("neginf") : -largest);
  const Tensor zero = b.number(x.dtype, 0.0);
  const Tensor is_infinite = call.add("IsInf", {x});
  const Tensor bound = call.add("Where", {call.add("Greater", {x, zero}), high, low});
  return call.add("Where", {call.add("IsNaN", {x}), no, call.add("Where", {is_infinite, bound, x})});
}

// Activations. ---------------------------------------------------------------------------------------------------

Operand gelu(Call& call) {
  const Tensor x = call.tensor("self");
  const std::string form = call.text("approximate");
  Builder& b = call.builder();
  if (b.opset() >= 20) return call.add("Gelu", {x}, {{"approximate", form}});
  const auto number = [&](double value) { return b.number(x.dtype, value); };
  Tensor inner = call.add("Mul", {x, number(std::numbers::sqrt2 / 2)});
  if (form == "tanh") {
    const Tensor cube = call.add("Mul", {call.add("Mul", {x, x}), x});
    const Tensor sum = call.add("Add", {x, call.add("Mul", {cube, number(0.044715)})});
    inner = call.add("Tanh", {call.add("Mul", {sum, number(std::sqrt(2 / std::numbers::pi))})});
  } else {
    inner = call.add("Erf", {inner});
  }
  const Tensor half = call.add("Mul", {x, number(0.5)});
  return call.add("Mul", {half, call.add("Add", {inner, number(1.0)})});
}
Operand silu(Call& call) {
  const Tensor x = call.tensor("self");
  return call.add("Mul", {x, call.add("Sigmoid", {x})});
}
Tensor between(Call& call, const Tensor& x, double low, double high) {
  return call.add("Clip", {x, call.builder().number(x.dtype, low), call.builder().number(x.dtype, high)});
}
Operand relu6(Call& call) {
  return between(call, call.tensor("self"), 0, 6);
}
Operand hardtanh(Call& call) {
  return between(call, call.tensor("self"), call.real("min_val"), call.real("max_val"));
}
Operand hardsigmoid(Call& call) {
  return call.add("HardSigmoid", {call.tensor("self")}, {{"alpha", 1.0F / 6.0F}, {"beta", 0.5F}});
}
Operand leaky_relu(Call& call) {
  return call.add("LeakyRelu", {call.tensor("self")}, {{"alpha", static_cast<float>(call.real("negative_slope"))}});
}
Operand elu(Call& call) {
  const Tensor x = call.tensor("self");
  const double scale = call.real("scale");
  if (call.real("input_scale") != 1) refuse("input_scale must be 1, found {}", call.real("input_scale"));
  const Tensor y = call.add("Elu", {x}, {{"alpha", static_cast<float>(call.real("alpha"))}});
  return scale == 1 ? y : call.add("Mul", {y, call.builder().number(x.dtype, scale)});
}
Operand celu(Call& call) {
  return call.add("Celu", {call.tensor("self")}, {{"alpha", static_cast<float>(call.real("alpha"))}});
}
Operand softplus(Call& call) {
  const Tensor x = call.tensor("self");
  const double beta = call.real("beta"), threshold = call.real("threshold");
  const Tensor turned = beta == 1 ? x : call.add("Mul", {x, call.builder().number(x.dtype, beta)});
  const Tensor curve = call.add("Softplus", {turned});
  const Tensor soft = beta == 1 ? curve : call.add("Div", {curve, call.builder().number(x.dtype, beta)});
  // Above the default threshold both are equal in float32.
  if (threshold >= 20) return soft;
  return call.add("Where", {call.add("Greater", {turned, call.builder().number(x.dtype, threshold)}), x, soft});
}
Operand mish(Call& call) {
  return call.add("Mish", {call.tensor("self")});
}
Operand log_sigmoid(Call& call) {
  const Tensor x = call.tensor("self");
  return call.add("Neg", {call.add("Softplus", {call.add("Neg", {x})})});
}
Operand softshrink(Call& call) {
  const auto limit = static_cast<float>(call.real("lambd"));
  return call.add("Shrink", {call.tensor("self")}, {{"lambd", limit}, {"bias", limit}});
}
Operand hardshrink(Call& call) {
  const auto limit = static_cast<float>(call.real("lambd"));
  return call.add("Shrink", {call.tensor("self")}, {{"lambd", limit}, {"bias", 0.0F}});
}
Operand threshold(Call& call) {
  const Tensor x = call.tensor("self");
  const Tensor is_above = call.add("Greater", {x, call.number(call.operand("threshold"), x.dtype)});
  return call.add("Where", {is_above, x, call.number(call.operand("value"), x.dtype)});
}
Operand prelu(Call& call) {
  const Tensor x = call.tensor("self");
  Tensor weight = call.tensor("weight");
  if (weight.rank() == 1 && x.rank() > 2) {
    Integers axes = counted(x.rank() - 2);
    for (std::int64_t& axis : axes) ++axis;
    weight = call.unsqueeze(weight, axes);
  }
  return call.add("PRelu", {x, weight});
}
Operand glu(Call& call) {
  const Tensor x = call.tensor("self");
  const std::int64_t axis = call.axis("dim", x.rank()), size = x.shape.at(static_cast<std::size_t>(axis));
  if (size < 0) refuse("the size that is halved must be known; fix the sizes of the inputs (--input-spec)");
  const Tensor a = call.slice(x, axis, 0, size / 2), b = call.slice(x, axis, size / 2, size);
  return call.add("Mul", {a, call.add("Sigmoid", {b})});
}

// Limits, choice, types. -----------------------------------------------------------------------------------------

Operand clamp(Call& call) {
  const Operand none;
  const Operand& low = call.has("min") ? call.operand("min") : none;
  const Operand& high = call.has("max") ? call.operand("max") : none;
  const ScalarType type = promoted({&call.operand("self"), &low, &high});
  Tensor x = call.cast(call.tensor("self"), computable(type));
  const auto is_single = [](const Operand& bound) {
    const auto* const tensor = bound.get<Tensor>();
    return tensor == nullptr || tensor->shape.empty();
  };
  if (is_single(low) && is_single(high)) {
    const Tensor bottom = low.is_none() ? Tensor{} : call.number(low, x.dtype);
    std::vector<Tensor> inputs = {x, bottom};
    if (!high.is_none()) inputs.push_back(call.number(high, x.dtype));
    return call.cast(call.add("Clip", inputs), type);
  }
  if (!low.is_none()) x = call.add("Max", {x, call.number(low, x.dtype)});
  if (!high.is_none()) x = call.add("Min", {x, call.number(high, x.dtype)});
  return call.cast(x, type);
}

Operand where(Call& call) {
  const Pair pair = promoted_pair(call);
  const Tensor condition = call.cast(call.tensor("condition"), ScalarType::kBool);
  return call.add("Where", {condition, call.cast(pair.a, pair.type), call.cast(pair.b, pair.type)});
}
Operand masked_fill(Call& call) {
  const Tensor x = call.tensor("self");
  return call.add("Where",
                  {call.cast(call.tensor("mask"), ScalarType::kBool), call.number(call.operand("value"), x.dtype), x});
}
Operand lerp(Call& call) {
  const Tensor x = call.tensor("self"), end = call.tensor("end");
  const Tensor weight = call.number(call.operand("weight"), x.dtype);
  return call.add("Add", {x, call.add("Mul", {weight, call.add("Sub", {end, x})})});
}
Operand addcmul(Call& call) {
  const Tensor product = call.add("Mul", {call.tensor("tensor1"), call.tensor("tensor2")});
  return call.add("Add",
                  {call.tensor("self"), call.add("Mul", {product, call.number(call.operand("value"), product.dtype)})});
}
Operand addcdiv(Call& call) {
  const Tensor quotient = call.add("Div", {call.tensor("tensor1"), call.tensor("tensor2")});
  return call.add(
      "Add", {call.tensor("self"), call.add("Mul", {quotient, call.number(call.operand("value"), quotient.dtype)})});
}

Operand to_dtype(Call& call) {
  const Tensor x = call.tensor("self");
  return call.cast(x, call.dtype("dtype").value_or(x.dtype));
}
Operand to_dtype_of_other(Call& call) {
  return call.cast(call.tensor("self"), call.tensor("other").dtype);
}
template <ScalarType type>
Operand to(Call& call) {
  return call.cast(call.tensor("self"), type);
}
/// The values of `src`, in the type and shape of `self`: what is left of an in-place copy.
Operand copy(Call& call) {
  const Tensor x = call.tensor("self");
  return call.expand(call.cast(call.tensor("src"), x.dtype), call.sizes_of(x));
}

constexpr auto kPointwiseOperators = std::to_array<Operator>({
    {"aten.add.Tensor(Tensor self, Tensor other, Scalar alpha=1)", add},
    {"aten.add.Scalar(Tensor self, Scalar other, Scalar alpha=1)", add},
    {"aten.sub.Tensor(Tensor self, Tensor other, Scalar alpha=1)", subtract},
    {"aten.sub.Scalar(Tensor self, Scalar other, Scalar alpha=1)", subtract},
    {"aten.subtract.Tensor(Tensor self, Tensor other, Scalar alpha=1)", subtract},
    {"aten.rsub.Tensor(Tensor self, Tensor other, Scalar alpha=1)", reverse_subtract},
    {"aten.rsub.Scalar(Tensor self, Scalar other, Scalar alpha=1)", reverse_subtract},
    {"aten.mul.Tensor(Tensor self, Tensor other)", multiply},
    {"aten.mul.Scalar(Tensor self, Scalar other)", multiply},
    {"aten.multiply.Tensor(Tensor self, Tensor other)", multiply},
    {"aten.div.Tensor(Tensor self, Tensor other)", divide},
    {"aten.div.Scalar(Tensor self, Scalar other)", divide},
    {"aten.div.Tensor_mode(Tensor self, Tensor other, str? rounding_mode)", divide},
    {"aten.div.Scalar_mode(Tensor self, Scalar other, str? rounding_mode)", divide},
    {"aten.divide.Tensor(Tensor self, Tensor other)", divide},
    {"aten.true_divide.Tensor(Tensor self, Tensor other)", divide},
    {"aten.floor_divide.default(Tensor self, Tensor other)", floor_divide},
    {"aten.floor_divide.Scalar(Tensor self, Scalar other)", floor_divide},
    {"aten.remainder.Tensor(Tensor self, Tensor other)", remainder},
    {"aten.remainder.Scalar(Tensor self, Scalar other)", remainder},
    {"aten.fmod.Tensor(Tensor self, Tensor other)", fmod},
    {"aten.fmod.Scalar(Tensor self, Scalar other)", fmod},
    {"aten.pow.Tensor_Scalar(Tensor self, Scalar exponent)", power},
    {"aten.pow.Tensor_Tensor(Tensor self, Tensor exponent)", power},
    {"aten.pow.Scalar(Scalar self, Tensor exponent)", power},
    {"aten.atan2.default(Tensor self, Tensor other)", atan2},
    {"aten.maximum.default(Tensor self, Tensor other)", two<"Max">},
    {"aten.minimum.default(Tensor self, Tensor other)", two<"Min">},
    {"aten.max.other(Tensor self, Tensor other)", two<"Max">},
    {"aten.min.other(Tensor self, Tensor other)", two<"Min">},
    {"aten.eq.Tensor(Tensor self, Tensor other)", compared<"Equal">},
    {"aten.eq.Scalar(Tensor self, Scalar other)", compared<"Equal">},
    {"aten.ne.Tensor(Tensor self, Tensor other)", not_equal},
    {"aten.ne.Scalar(Tensor self, Scalar other)", not_equal},
    {"aten.lt.Tensor(Tensor self, Tensor other)", compared<"Less">},
    {"aten.lt.Scalar(Tensor self, Scalar other)", compared<"Less">},
    {"aten.le.Tensor(Tensor self, Tensor other)", compared<"LessOrEqual">},
    {"aten.le.Scalar(Tensor self, Scalar other)", compared<"LessOrEqual">},
    {"aten.gt.Tensor(Tensor self, Tensor other)", compared<"Greater">},
    {"aten.gt.Scalar(Tensor self, Scalar other)", compared<"Greater">},
    {"aten.ge.Tensor(Tensor self, Tensor other)", compared<"GreaterOrEqual">},
    {"aten.ge.Scalar(Tensor self, Scalar other)", compared<"GreaterOrEqual">},
    {"aten.logical_and.default(Tensor self, Tensor other)", logical<"And">},
    {"aten.logical_or.default(Tensor self, Tensor other)", logical<"Or">},
    {"aten.logical_xor.default(Tensor self, Tensor other)", logical<"Xor">},
    {"aten.logical_not.default(Tensor self)", logical_not},
    {"aten.bitwise_and.Tensor(Tensor self, Tensor other)", bitwise<"And", "BitwiseAnd">},
    {"aten.bitwise_and.Scalar(Tensor self, Scalar other)", bitwise<"And", "BitwiseAnd">},
    {"aten.bitwise_or.Tensor(Tensor self, Tensor other)", bitwise<"Or", "BitwiseOr">},
    {"aten.bitwise_or.Scalar(Tensor self, Scalar other)", bitwise<"Or", "BitwiseOr">},
    {"aten.bitwise_xor.Tensor(Tensor self, Tensor other)", bitwise<"Xor", "BitwiseXor">},
    {"aten.bitwise_xor.Scalar(Tensor self, Scalar other)", bitwise<"Xor", "BitwiseXor">},
    {"aten.__and__.Tensor(Tensor self, Tensor other)", bitwise<"And", "BitwiseAnd">},
    {"aten.__and__.Scalar(Tensor self, Scalar other)", bitwise<"And", "BitwiseAnd">},
    {"aten.__or__.Tensor(Tensor self, Tensor other)", bitwise<"Or", "BitwiseOr">},
    {"aten.__or__.Scalar(Tensor self, Scalar other)", bitwise<"Or", "BitwiseOr">},
    {"aten.__xor__.Tensor(Tensor self, Tensor other)", bitwise<"Xor", "BitwiseXor">},
    {"aten.bitwise_not.default(Tensor self)", bitwise_not},
    {"aten.abs.default(Tensor self)", same_type<"Abs">},
    {"aten.neg.default(Tensor self)", same_type<"Neg">},
    {"aten.sign.default(Tensor self)", same_type<"Sign">},
    {"aten.square.default(Tensor self)", square},
    {"aten.positive.default(Tensor self)", identity},
    {"aten.sqrt.default(Tensor self)", one<"Sqrt">},
    {"aten.rsqrt.default(Tensor self)", reciprocal_root},
    {"aten.reciprocal.default(Tensor self)", one<"Reciprocal">},
    {"aten.exp.default(Tensor self)", one<"Exp">},
    {"aten.exp2.default(Tensor self)", exp_two},
    {"aten.expm1.default(Tensor self)", exp_minus_one},
    {"aten.log.default(Tensor self)", one<"Log">},
    {"aten.log1p.default(Tensor self)", log_one_plus},
    {"aten.log2.default(Tensor self)", log_of<2>},
    {"aten.log10.default(Tensor self)", log_of<10>},
    {"aten.sin.default(Tensor self)", one<"Sin">},
    {"aten.cos.default(Tensor self)", one<"Cos">},
    {"aten.tan.default(Tensor self)", one<"Tan">},
    {"aten.asin.default(Tensor self)", one<"Asin">},
    {"aten.acos.default(Tensor self)", one<"Acos">},
    {"aten.atan.default(Tensor self)", one<"Atan">},
    {"aten.sinh.default(Tensor self)", one<"Sinh">},
    {"aten.cosh.default(Tensor self)", one<"Cosh">},
    {"aten.tanh.default(Tensor self)", one<"Tanh">},
    {"aten.asinh.default(Tensor self)", one<"Asinh">},
    {"aten.acosh.default(Tensor self)", one<"Acosh">},
    {"aten.atanh.default(Tensor self)", one<"Atanh">},
    {"aten.erf.default(Tensor self)", one<"Erf">},
    {"aten.special_erf.default(Tensor self)", one<"Erf">},
    {"aten.sigmoid.default(Tensor self)", one<"Sigmoid">},
    {"aten.special_expit.default(Tensor self)", one<"Sigmoid">},
    {"aten.floor.default(Tensor self)", rounded<"Floor">},
    {"aten.ceil.default(Tensor self)", rounded<"Ceil">},
    {"aten.round.default(Tensor self)", rounded<"Round">},
    {"aten.trunc.default(Tensor self)", truncated},
    {"aten.fix.default(Tensor self)", truncated},
    {"aten.frac.default(Tensor self)", fraction},
    {"aten.isnan.default(Tensor self)", tested<"IsNaN">},
    {"aten.isinf.default(Tensor self)", tested<"IsInf">},
    {"aten.isfinite.default(Tensor self)", is_finite},
    {"aten.nan_to_num.default(Tensor self, float? nan=None, float? posinf=None, float? neginf=None)", nan_to_num},
    {"aten.relu.default(Tensor self)", same_type<"Relu">},
    {"aten.relu6.default(Tensor self)", relu6},
    {"aten.hardtanh.default(Tensor self, Scalar min_val=-1, Scalar max_val=1)", hardtanh},
    {"aten.hardswish.default(Tensor self)", one<"HardSwish">},
    {"aten.hardsigmoid.default(Tensor self)", hardsigmoid},
    {"aten.gelu.default(Tensor self, str approximate='none')", gelu},
    {"aten.silu.default(Tensor self)", silu},
    {"aten.mish.default(Tensor self)", mish},
    {"aten.leaky_relu.default(Tensor self, Scalar negative_slope=0.01)", leaky_relu},
    {"aten.elu.default(Tensor self, Scalar alpha=1, Scalar scale=1, Scalar input_scale=1)", elu},
    {"aten.selu.default(Tensor self)", one<"Selu">},
    {"aten.celu.default(Tensor self, Scalar alpha=1.0)", celu},
    {"aten.softplus.default(Tensor self, Scalar beta=1, Scalar threshold=20)", softplus},
    {"aten.softshrink.default(Tensor self, Scalar lambd=0.5)", softshrink},
    {"aten.hardshrink.default(Tensor self, Scalar lambd=0.5)", hardshrink},
    {"aten.log_sigmoid.default(Tensor self)", log_sigmoid},
    {"aten.threshold.default(Tensor self, Scalar threshold, Scalar value)", threshold},
    {"aten.prelu.default(Tensor self, Tensor weight)", prelu},
    {"aten._prelu_kernel.default(Tensor self, Tensor weight)", prelu},
    {"aten.glu.default(Tensor self, int dim=-1)", glu},
    {"aten.clamp.default(Tensor self, Scalar? min=None, Scalar? max=None)", clamp},
    {"aten.clamp.Tensor(Tensor self, Tensor? min=None, Tensor? max=None)", clamp},
    {"aten.clamp_min.default(Tensor self, Scalar min)", clamp},
    {"aten.clamp_min.Tensor(Tensor self, Tensor min)", clamp},
    {"aten.clamp_max.default(Tensor self, Scalar max)", clamp},
    {"aten.clamp_max.Tensor(Tensor self, Tensor max)", clamp},
    {"aten.clip.default(Tensor self, Scalar? min=None, Scalar? max=None)", clamp},
    {"aten.where.self(Tensor condition, Tensor self, Tensor other)", where},
    {"aten.where.ScalarSelf(Tensor condition, Scalar self, Tensor other)", where},
    {"aten.where.ScalarOther(Tensor condition, Tensor self, Scalar other)", where},
    {"aten.where.Scalar(Tensor condition, Scalar self, Scalar other)", where},
    {"aten.masked_fill.Scalar(Tensor self, Tensor mask, Scalar value)", masked_fill},
    {"aten.masked_fill.Tensor(Tensor self, Tensor mask, Tensor value)", masked_fill},
    {"aten.lerp.Scalar(Tensor self, Tensor end, Scalar weight)", lerp},
    {"aten.lerp.Tensor(Tensor self, Tensor end, Tensor weight)", lerp},
    {"aten.addcmul.default(Tensor self, Tensor tensor1, Tensor tensor2, Scalar value=1)", addcmul},
    {"aten.addcdiv.default(Tensor self, Tensor tensor1, Tensor tensor2, Scalar value=1)", addcdiv},
    {"aten.to.dtype(Tensor self, ScalarType dtype, bool non_blocking=False, bool copy=False, MemoryFormat? "
     "memory_format=None)",
     to_dtype},
    {"aten.to.dtype_layout(Tensor self, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? "
     "pin_memory=None, bool non_blocking=False, bool copy=False, MemoryFormat? memory_format=None)",
     to_dtype},
    {"aten.to.device(Tensor self, Device device, ScalarType dtype, bool non_blocking=False, bool copy=False, "
     "MemoryFormat? memory_format=None)",
     to_dtype},
    {"aten.to.prim_Device(Tensor self, Device? device, int? dtype=None, bool non_blocking=False, bool copy=False)",
     to_dtype},
    {"aten.to.prim_dtype(Tensor self, int? dtype=None, bool non_blocking=False, bool copy=False)", to_dtype},
    {"aten.to.other(Tensor self, Tensor other, bool non_blocking=False, bool copy=False, MemoryFormat? "
     "memory_format=None)",
     to_dtype_of_other},
    {"aten._to_copy.default(Tensor self, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? "
     "pin_memory=None, bool non_blocking=False, MemoryFormat? memory_format=None)",
     to_dtype},
    {"aten.type_as.default(Tensor self, Tensor other)", to_dtype_of_other},
    {"aten.copy.default(Tensor self, Tensor src, bool non_blocking=False)", copy},
    {"aten.contiguous.default(Tensor self, MemoryFormat? memory_format=None)", identity},
    {"aten.clone.default(Tensor self, MemoryFormat? memory_format=None)", identity},
    {"aten.alias.default(Tensor self)", identity},
    {"aten.detach.default(Tensor self)", identity},
    {"aten.detach_.default(Tensor self)", identity},
    {"aten.lift_fresh_copy.default(Tensor self)", identity},
    {"aten.lift_fresh.default(Tensor self)", identity},
    {"aten.cpu.default(Tensor self)", identity},
    {"aten.requires_grad_.default(Tensor self, bool requires_grad=True)", identity},
    {"aten.dropout.default(Tensor input, float p, bool train)", dropout},
    {"aten.feature_dropout.default(Tensor input, float p, bool train)", dropout},
    {"aten.alpha_dropout.default(Tensor input, float p, bool train)", dropout},
});

}  // namespace

std::span<const Operator> pointwise_operators() {
  return kPointwiseOperators;
}

}  // namespace slipway::convert::operators::internal
