#include <array>
#include <cmath>

#include "convert/operators/internal/families.hpp"

/// Numbers beside the tensors: sizes, arithmetic of Python, elements of lists. What is known is computed at once.
namespace slipway::convert::operators::internal {
namespace {

bool is_real(const Operand& operand) {
  const auto* const number = operand.get<Number>();
  return operand.get<double>() != nullptr || (number != nullptr && is_floating(number->tensor.dtype));
}
bool is_known(const Operand& operand) {
  return operand.get<Number>() == nullptr;
}
double real(const Operand& operand) {
  if (const auto* const each = operand.get<double>()) return *each;
  if (const auto* const each = operand.get<std::int64_t>()) return static_cast<double>(*each);
  if (const auto* const each = operand.get<bool>()) return *each ? 1 : 0;
  refuse("a number is expected, found {}", describe(operand));
}
std::int64_t whole(const Operand& operand) {
  if (const auto* const each = operand.get<std::int64_t>()) return *each;
  if (const auto* const each = operand.get<bool>()) return *each ? 1 : 0;
  refuse("an integer is expected, found {}", describe(operand));
}

/// Python's arithmetic: known numbers are computed, others become nodes.
struct Arithmetic {
  double (*reals)(double, double);
  bool (*integers)(std::int64_t, std::int64_t, std::int64_t&);  ///< whether it overflows
  const char* op_type;
};
Operand computed(Call& call, const Arithmetic& how) {
  const Operand &a = call.operand("a"), &b = call.operand("b");
  const bool gives_real = is_real(a) || is_real(b) || how.integers == nullptr;
  if (is_known(a) && is_known(b)) {
    if (gives_real) return how.reals(real(a), real(b));
    std::int64_t result = 0;
    if (how.integers(whole(a), whole(b), result)) refuse("{} and {} leave 64 bits", whole(a), whole(b));
    return result;
  }
  const ScalarType type = gives_real ? ScalarType::kFloat32 : ScalarType::kInt64;
  return Number{call.add(how.op_type, {call.number(a, type), call.number(b, type)})};
}
Operand add(Call& call) {
  return computed(
      call, {[](double a, double b) { return a + b; },
             [](std::int64_t a, std::int64_t b, std::int64_t& r) { return __builtin_add_overflow(a, b, &r); }, "Add"});
}
Operand subtract(Call& call) {
  return computed(
      call, {[](double a, double b) { return a - b; },
             [](std::int64_t a, std::int64_t b, std::int64_t& r) { return __builtin_sub_overflow(a, b, &r); }, "Sub"});
}
Operand multiply(Call& call) {
  return computed(
      call, {[](double a, double b) { return a * b; },
             [](std::int64_t a, std::int64_t b, std::int64_t& r) { return __builtin_mul_overflow(a, b, &r); }, "Mul"});
}
Operand divide(Call& call) {
  return computed(call, {[](double a, double b) { return a / b; }, nullptr, "Div"});
}
bool floor_div(std::int64_t a, std::int64_t b, std::int64_t& r) {
  if (b == 0 || (b == -1 && a == INT64_MIN)) return true;
  r = a / b - ((a % b != 0 && (a < 0) != (b < 0)) ? 1 : 0);
  return false;
}
/// Of sizes the graph computes, which are not negative, truncation is what rounding down is.
Operand floor_divide(Call& call) {
  return computed(call, {[](double a, double b) { return std::floor(a / b); }, floor_div, "Div"});
}
Operand modulo(Call& call) {
  return computed(call, {[](double a, double b) { return a - b * std::floor(a / b); },
                         [](std::int64_t a, std::int64_t b, std::int64_t& r) {
                           std::int64_t quotient = 0;
                           if (floor_div(a, b, quotient)) return true;
                           r = a - quotient * b;
                           return false;
                         },
                         "Mod"});
}
Operand power(Call& call) {
  return computed(call, {[](double a, double b) { return std::pow(a, b); },
                         [](std::int64_t a, std::int64_t b, std::int64_t& r) {
                           if (b < 0 || b > 64) return true;
                           r = 1;
                           for (std::int64_t i = 0; i < b; ++i) {
                             if (__builtin_mul_overflow(r, a, &r)) return true;
                           }
                           return false;
                         },
                         "Pow"});
}
Operand greater_of(Call& call) {
  return computed(call,
                  {[](double a, double b) { return std::max(a, b); },
                   [](std::int64_t a, std::int64_t b, std::int64_t& r) { return r = std::max(a, b), false; }, "Max"});
}
Operand lesser_of(Call& call) {
  return computed(call,
                  {[](double a, double b) { return std::min(a, b); },
                   [](std::int64_t a, std::int64_t b, std::int64_t& r) { return r = std::min(a, b), false; }, "Min"});
}

Operand compared(Call& call, bool (*compare)(double, double)) {
  const Operand &a = call.operand("a"), &b = call.operand("b");
  if (!is_known(a) || !is_known(b))
    refuse("a comparison of sizes that are known only when the model runs; fix them (--input-spec)");
  return compare(real(a), real(b));
}
Operand equal(Call& call) {
  return compared(call, [](double a, double b) { return a == b; });
}
Operand not_equal(Call& call) {
  return compared(call, [](double a, double b) { return a != b; });
}
Operand less(Call& call) {
  return compared(call, [](double a, double b) { return a < b; });
}
Operand less_or_equal(Call& call) {
  return compared(call, [](double a, double b) { return a <= b; });
}
Operand greater(Call& call) {
  return compared(call, [](double a, double b) { return a > b; });
}
Operand greater_or_equal(Call& call) {
  return compared(call, [](double a, double b) { return a >= b; });
}
Operand both(Call& call) {
  return real(call.operand("a")) != 0 && real(call.operand("b")) != 0;
}
Operand either(Call& call) {
  return real(call.operand("a")) != 0 || real(call.operand("b")) != 0;
}
Operand inverted(Call& call) {
  return real(call.operand("a")) == 0;
}

Operand inverted_self(Call& call) {
  return real(call.operand("self")) == 0;
}

Operand negated(Call& call) {
  const Operand& a = call.operand("a");
  if (!is_known(a)) return Number{call.add("Neg", {a.get<Number>()->tensor})};
  return is_real(a) ? Operand(-real(a)) : Operand(-whole(a));
}
Operand as_integer(Call& call) {
  const Operand& a = call.operand("a");
  if (const auto* const number = a.get<Number>()) return Number{call.cast(number->tensor, ScalarType::kInt64)};
  if (const auto* const tensor = a.get<Tensor>())
    return Number{call.cast(call.reshape(*tensor, {}), ScalarType::kInt64)};
  const double value = real(a);
  if (!(std::abs(value) < 9e18)) refuse("{} is no integer", value);
  return is_real(a) ? static_cast<std::int64_t>(value) : whole(a);
}
Operand as_real(Call& call) {
  const Operand& a = call.operand("a");
  if (const auto* const number = a.get<Number>()) return Number{call.cast(number->tensor, ScalarType::kFloat32)};
  if (const auto* const tensor = a.get<Tensor>())
    return Number{call.cast(call.reshape(*tensor, {}), ScalarType::kFloat32)};
  return real(a);
}
Operand as_bool(Call& call) {
  const Operand& a = call.operand("a");
  if (const auto* const tensor = a.get<Tensor>())
    return Number{call.cast(call.reshape(*tensor, {}), ScalarType::kBool)};
  return real(a) != 0;
}
Operand rounded(Call& call, double (*round)(double), const std::string& op_type) {
  const Operand& a = call.operand("a");
  if (const auto* const number = a.get<Number>()) {
    if (!is_floating(number->tensor.dtype)) return a;
    return Number{call.cast(call.add(op_type, {number->tensor}), ScalarType::kInt64)};
  }
  return is_real(a) ? static_cast<std::int64_t>(round(real(a))) : whole(a);
}
Operand floor(Call& call) {
  return rounded(
      call, [](double x) { return std::floor(x); }, "Floor");
}
Operand ceil(Call& call) {
  return rounded(
      call, [](double x) { return std::ceil(x); }, "Ceil");
}
Operand truncated(Call& call) {
  return rounded(
      call, [](double x) { return std::trunc(x); }, "Floor");
}
Operand root(Call& call) {
  const Operand& a = call.operand("a");
  if (const auto* const number = a.get<Number>())
    return Number{call.add("Sqrt", {call.cast(number->tensor, ScalarType::kFloat32)})};
  return std::sqrt(real(a));
}

/// The one number in a tensor.
Operand item(Call& call) {
  return Number{call.reshape(call.tensor("self"), {})};
}
Operand scalar_implicit(Call& call) {
  return Number{call.reshape(call.tensor("a"), {})};
}
Operand as_tensor(Call& call) {
  return call.tensor("a");
}

Operand size(Call& call) {
  const Tensor x = call.tensor("self");
  return call.size_of(x, call.axis("dim", x.rank()));
}
Operand sizes(Call& call) {
  return call.sizes_of(call.tensor("self"));
}
Operand element_count(Call& call) {
  const Tensor x = call.tensor("self");
  if (const auto count = tensor::element_count(x.shape)) return *count;
  return Number{call.add("Size", {x})};
}
Operand rank(Call& call) {
  return call.tensor("self").rank();
}
Operand element(Call& call) {
  const auto* const list = call.operand("list").get<Operands>();
  if (list == nullptr) refuse("a list is expected, found {}", describe(call.operand("list")));
  const auto length = static_cast<std::int64_t>(list->size());
  const std::int64_t given = call.integer("idx"), place = given < 0 ? given + length : given;
  if (place < 0 || place >= length) refuse("element {} of a list of {}", given, length);
  return (*list)[static_cast<std::size_t>(place)];
}
Operand length(Call& call) {
  if (const auto* const list = call.operand("a").get<Operands>()) return static_cast<std::int64_t>(list->size());
  return call.size_of(call.tensor("a"), 0);
}
Operand unchanged(Call& call) {
  return call.operand("a");
}

constexpr auto kNumberOperators = std::to_array<Operator>({
    {"_operator.add(any a, any b)", add},
    {"_operator.sub(any a, any b)", subtract},
    {"_operator.mul(any a, any b)", multiply},
    {"_operator.truediv(any a, any b)", divide},
    {"_operator.floordiv(any a, any b)", floor_divide},
    {"_operator.mod(any a, any b)", modulo},
    {"_operator.pow(any a, any b)", power},
    {"_operator.neg(any a)", negated},
    {"_operator.pos(any a)", unchanged},
    {"_operator.eq(any a, any b)", equal},
    {"_operator.ne(any a, any b)", not_equal},
    {"_operator.lt(any a, any b)", less},
    {"_operator.le(any a, any b)", less_or_equal},
    {"_operator.gt(any a, any b)", greater},
    {"_operator.ge(any a, any b)", greater_or_equal},
    {"_operator.and_(any a, any b)", both},
    {"_operator.or_(any a, any b)", either},
    {"_operator.not_(any a)", inverted},
    {"math.floor(any a)", floor},
    {"math.ceil(any a)", ceil},
    {"math.trunc(any a)", truncated},
    {"math.sqrt(any a)", root},
    {"torch.sym_max(any a, any b)", greater_of},
    {"torch.sym_min(any a, any b)", lesser_of},
    {"torch.sym_float(any a)", as_real},
    {"torch.sym_int(any a)", truncated},
    {"torch.sym_not(any a)", inverted},
    {"torch._sym_sqrt(any a)", root},
    {"aten.add.int(int a, int b)", add},
    {"aten.add.float(float a, float b)", add},
    {"aten.sub.int(int a, int b)", subtract},
    {"aten.sub.float(float a, float b)", subtract},
    {"aten.mul.int(int a, int b)", multiply},
    {"aten.mul.float(float a, float b)", multiply},
    {"aten.div.int(int a, int b)", divide},
    {"aten.div.float(float a, float b)", divide},
    {"aten.floordiv.int(any a, any b)", floor_divide},
    {"aten.remainder.int(int a, int b)", modulo},
    {"aten.neg.int(any a)", negated},
    {"aten.eq.int(any a, any b)", equal},
    {"aten.ne.int(any a, any b)", not_equal},
    {"aten.lt.int(any a, any b)", less},
    {"aten.le.int(any a, any b)", less_or_equal},
    {"aten.gt.int(any a, any b)", greater},
    {"aten.ge.int(any a, any b)", greater_or_equal},
    {"aten.__not__.default(any self)", inverted_self},
    {"aten.Int.Tensor(any a)", as_integer},
    {"aten.Float.Tensor(any a)", as_real},
    {"aten.Bool.Tensor(any a)", as_bool},
    {"aten.IntImplicit.default(any a)", as_integer},
    {"aten.FloatImplicit.default(any a)", as_real},
    {"aten.ScalarImplicit.default(Tensor a)", scalar_implicit},
    {"aten.item.default(Tensor self)", item},
    {"aten._local_scalar_dense.default(Tensor self)", item},
    {"prim.NumToTensor.Scalar(Scalar a)", as_tensor},
    {"aten.sym_size.int(Tensor self, int dim)", size},
    {"aten.size.int(Tensor self, int dim)", size},
    {"aten.size.default(Tensor self)", sizes},
    {"aten.sym_numel.default(Tensor self)", element_count},
    {"aten.numel.default(Tensor self)", element_count},
    {"aten.dim.default(Tensor self)", rank},
    {"aten.len.t(any a)", length},
    {"aten.__getitem__.t(any list, int idx)", element},
    {"_operator.getitem(any list, int idx)", element},
    {"prim.ListUnpack(any a)", unchanged},
});

}  // namespace

std::span<const Operator> number_operators() {
  return kNumberOperators;
}

}  // namespace slipway::convert::operators::internal
