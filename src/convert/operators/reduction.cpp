#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "convert/operators/internal/families.hpp"

/// Sums, means, extremes, sorting.
namespace slipway::convert::operators::internal {
namespace {

/// The axes that are reduced: those named, or all.
Integers axes_of(Call& call, const Tensor& x, std::string_view name = "dim") {
  if (!call.has_parameter(name) || call.operand(name).is_none()) return counted(x.rank());
  Integers axes = call.integers(name);
  if (axes.empty()) return counted(x.rank());
  for (std::int64_t& axis : axes) axis = from_front(axis, x.rank());
  return axes;
}
bool keepdim(Call& call) {
  return call.has_parameter("keepdim") && call.flag("keepdim");
}

/// As ATen sums: small integers and booleans become int64.
Tensor summable(Call& call) {
  const Tensor x = call.tensor("self");
  const auto dtype = call.has_parameter("dtype") ? call.dtype("dtype") : std::nullopt;
  return call.cast(x, dtype.value_or(is_floating(x.dtype) ? x.dtype : ScalarType::kInt64));
}
Tensor floating(Call& call) {
  const Tensor x = call.tensor("self");
  const auto dtype = call.has_parameter("dtype") ? call.dtype("dtype") : std::nullopt;
  return call.cast(x, dtype.value_or(is_floating(x.dtype) ? x.dtype : ScalarType::kFloat32));
}

Operand sum(Call& call) {
  const Tensor x = summable(call);
  return call.reduce("ReduceSum", x, axes_of(call, x), keepdim(call));
}
Operand mean(Call& call) {
  const Tensor x = floating(call);
  return call.reduce("ReduceMean", x, axes_of(call, x), keepdim(call));
}
Operand product(Call& call) {
  const Tensor x = summable(call);
  return call.reduce("ReduceProd", x, axes_of(call, x), keepdim(call));
}
Operand log_sum_exp(Call& call) {
  const Tensor x = floating(call);
  return call.reduce("ReduceLogSumExp", x, axes_of(call, x), keepdim(call));
}

/// ONNX Runtime reduces wide types; others are widened and narrowed back.
Tensor extreme(Call& call, const std::string& op_type, const Tensor& x, const Integers& axes, bool keepdims) {
  const bool is_wide = is_floating(x.dtype) || x.dtype == ScalarType::kInt32 || x.dtype == ScalarType::kInt64;
  return call.cast(call.reduce(op_type, is_wide ? x : call.cast(x, ScalarType::kInt32), axes, keepdims), x.dtype);
}
Operand greatest(Call& call) {
  const Tensor x = call.tensor("self");
  return extreme(call, "ReduceMax", x, axes_of(call, x), keepdim(call));
}
Operand least(Call& call) {
  const Tensor x = call.tensor("self");
  return extreme(call, "ReduceMin", x, axes_of(call, x), keepdim(call));
}
Tensor place_of_extreme(Call& call, const std::string& op_type, Tensor x, std::int64_t axis, bool keepdims) {
  if (x.shape.empty()) return call.builder().integer(0);
  if (!is_floating(x.dtype)) x = call.cast(x, x.dtype == ScalarType::kInt64 ? x.dtype : ScalarType::kInt32);
  return call.add(op_type, {x}, {{"axis", axis}, {"keepdims", std::int64_t{keepdims}}});
}
Operand greatest_and_place(Call& call) {
  const Tensor x = call.tensor("self");
  const std::int64_t axis = call.axis("dim", x.rank());
  return Operands{extreme(call, "ReduceMax", x, {axis}, keepdim(call)),
                  place_of_extreme(call, "ArgMax", x, axis, keepdim(call))};
}
Operand least_and_place(Call& call) {
  const Tensor x = call.tensor("self");
  const std::int64_t axis = call.axis("dim", x.rank());
  return Operands{extreme(call, "ReduceMin", x, {axis}, keepdim(call)),
                  place_of_extreme(call, "ArgMin", x, axis, keepdim(call))};
}
Operand place(Call& call, const std::string& op_type) {
  Tensor x = call.tensor("self");
  if (call.has("dim")) return place_of_extreme(call, op_type, x, call.axis("dim", x.rank()), keepdim(call));
  const std::int64_t rank = x.rank();
  const Tensor found = place_of_extreme(call, op_type, call.reshape(x, {-1}), 0, false);
  return keepdim(call) ? call.unsqueeze(found, counted(rank)) : found;
}
Operand argmax(Call& call) {
  return place(call, "ArgMax");
}
Operand argmin(Call& call) {
  return place(call, "ArgMin");
}

Tensor truth(Call& call, const std::string& op_type) {
  const Tensor x = call.cast(call.cast(call.tensor("self"), ScalarType::kBool), ScalarType::kInt32);
  return call.cast(call.reduce(op_type, x, axes_of(call, x), keepdim(call)), ScalarType::kBool);
}
Operand any(Call& call) {
  return truth(call, "ReduceMax");
}
Operand all(Call& call) {
  return truth(call, "ReduceMin");
}

/// How many elements each result is made of.
double reduced_count(const Tensor& x, const Integers& axes) {
  double count = 1;
  for (const std::int64_t axis : axes) {
    const std::int64_t size = x.shape.at(static_cast<std::size_t>(axis));
    if (size < 0) refuse("sizes must be known; fix the sizes of the inputs (--input-spec)");
    count *= static_cast<double>(size);
  }
  return count;
}
/// The variance, with the mean that it is taken from.
std::pair<Tensor, Tensor> spread(Call& call) {
  const Tensor x = call.tensor("self");
  const Integers axes = axes_of(call, x);
  double correction = 1;
  if (call.has_parameter("correction")) {
    correction = call.has("correction") ? call.real("correction") : 1;
  } else if (call.has_parameter("unbiased")) {
    correction = call.flag("unbiased") ? 1 : 0;
  }
  const Tensor mean = call.reduce("ReduceMean", x, axes, true);
  const Tensor difference = call.add("Sub", {x, mean});
  Tensor variance = call.reduce("ReduceMean", call.add("Mul", {difference, difference}), axes, keepdim(call));
  if (correction != 0) {
    const double count = reduced_count(x, axes), rest = count - correction;
    const double factor = rest > 0 ? count / rest : std::numeric_limits<double>::infinity();
    variance = call.add("Mul", {variance, call.builder().number(x.dtype, factor)});
  }
  return {variance, keepdim(call) ? mean : call.squeeze(mean, axes)};
}
Operand variance(Call& call) {
  return spread(call).first;
}
Operand deviation(Call& call) {
  return call.add("Sqrt", {spread(call).first});
}
Operand variance_and_mean(Call& call) {
  const auto [variance, mean] = spread(call);
  return Operands{variance, mean};
}
Operand deviation_and_mean(Call& call) {
  const auto [variance, mean] = spread(call);
  return Operands{call.add("Sqrt", {variance}), mean};
}

Operand norm(Call& call) {
  const Tensor x = floating(call);
  const std::string_view name = call.has_parameter("ord") ? "ord" : "p";
  const double order = call.has(name) ? call.real(name) : 2;
  const Integers axes = axes_of(call, x);
  if (x.shape.empty()) return call.add("Abs", {x});
  if (order == 2) return call.reduce("ReduceL2", x, axes, keepdim(call));
  if (order == 1) return call.reduce("ReduceL1", x, axes, keepdim(call));
  const Tensor size = call.add("Abs", {x});
  if (std::isinf(order)) return call.reduce(order > 0 ? "ReduceMax" : "ReduceMin", size, axes, keepdim(call));
  if (order == 0) {
    const Tensor is_some = call.add("Greater", {size, call.builder().number(x.dtype, 0.0)});
    return call.reduce("ReduceSum", call.cast(is_some, x.dtype), axes, keepdim(call));
  }
  const Tensor powers =
      call.reduce("ReduceSum", call.add("Pow", {size, call.builder().number(x.dtype, order)}), axes, keepdim(call));
  return call.add("Pow", {powers, call.builder().number(x.dtype, 1 / order)});
}

Operand cumulative_sum(Call& call) {
  const Tensor x = summable(call);
  if (x.shape.empty()) return x;
  return call.add("CumSum", {x, call.builder().integer(call.axis("dim", x.rank()))});
}

Operands top(Call& call, Tensor x, std::int64_t axis, std::int64_t count, bool is_largest) {
  const ScalarType type = x.dtype;
  if (x.shape.empty()) return {x, call.builder().integer(0)};
  if (!is_floating(type) && type != ScalarType::kInt64) x = call.cast(x, ScalarType::kInt32);
  const std::vector<Tensor> both = call.builder().add_several("TopK", {x, call.builder().integers({count})}, 2,
                                                              {{"axis", axis}, {"largest", std::int64_t{is_largest}}});
  return {call.cast(both[0], type), both[1]};
}
Operand topk(Call& call) {
  const Tensor x = call.tensor("self");
  return top(call, x, call.axis("dim", x.rank()), call.integer("k"), call.flag("largest"));
}
Operand sort(Call& call) {
  const Tensor x = call.tensor("self");
  const std::int64_t axis = call.axis("dim", x.rank()),
                     size = x.shape.empty() ? 1 : x.shape.at(static_cast<std::size_t>(axis));
  if (size < 0) refuse("sizes must be known; fix the sizes of the inputs (--input-spec)");
  return top(call, x, axis, size, call.flag("descending"));
}
Operand argsort(Call& call) {
  return (*sort(call).get<Operands>())[1];
}

constexpr auto kReductionOperators = std::to_array<Operator>({
    {"aten.sum.default(Tensor self, ScalarType? dtype=None)", sum},
    {"aten.sum.dim_IntList(Tensor self, int[]? dim, bool keepdim=False, ScalarType? dtype=None)", sum},
    {"aten.mean.default(Tensor self, ScalarType? dtype=None)", mean},
    {"aten.mean.dim(Tensor self, int[]? dim, bool keepdim=False, ScalarType? dtype=None)", mean},
    {"aten.prod.default(Tensor self, ScalarType? dtype=None)", product},
    {"aten.prod.dim_int(Tensor self, int dim, bool keepdim=False, ScalarType? dtype=None)", product},
    {"aten.logsumexp.default(Tensor self, int[] dim, bool keepdim=False)", log_sum_exp},
    {"aten.max.default(Tensor self)", greatest},
    {"aten.max.dim(Tensor self, int dim, bool keepdim=False)", greatest_and_place},
    {"aten.amax.default(Tensor self, int[] dim=[], bool keepdim=False)", greatest},
    {"aten.min.default(Tensor self)", least},
    {"aten.min.dim(Tensor self, int dim, bool keepdim=False)", least_and_place},
    {"aten.amin.default(Tensor self, int[] dim=[], bool keepdim=False)", least},
    {"aten.argmax.default(Tensor self, int? dim=None, bool keepdim=False)", argmax},
    {"aten.argmin.default(Tensor self, int? dim=None, bool keepdim=False)", argmin},
    {"aten.any.default(Tensor self)", any},
    {"aten.any.dim(Tensor self, int dim, bool keepdim=False)", any},
    {"aten.any.dims(Tensor self, int[]? dim=None, bool keepdim=False)", any},
    {"aten.all.default(Tensor self)", all},
    {"aten.all.dim(Tensor self, int dim, bool keepdim=False)", all},
    {"aten.all.dims(Tensor self, int[]? dim=None, bool keepdim=False)", all},
    {"aten.var.default(Tensor self, bool unbiased=True)", variance},
    {"aten.var.dim(Tensor self, int[]? dim, bool unbiased=True, bool keepdim=False)", variance},
    {"aten.var.correction(Tensor self, int[]? dim=None, Scalar? correction=None, bool keepdim=False)", variance},
    {"aten.std.default(Tensor self, bool unbiased=True)", deviation},
    {"aten.std.dim(Tensor self, int[]? dim, bool unbiased=True, bool keepdim=False)", deviation},
    {"aten.std.correction(Tensor self, int[]? dim=None, Scalar? correction=None, bool keepdim=False)", deviation},
    {"aten.var_mean.default(Tensor self, bool unbiased=True)", variance_and_mean},
    {"aten.var_mean.dim(Tensor self, int[]? dim, bool unbiased=True, bool keepdim=False)", variance_and_mean},
    {"aten.var_mean.correction(Tensor self, int[]? dim=None, Scalar? correction=None, bool keepdim=False)",
     variance_and_mean},
    {"aten.std_mean.correction(Tensor self, int[]? dim=None, Scalar? correction=None, bool keepdim=False)",
     deviation_and_mean},
    {"aten.linalg_vector_norm.default(Tensor self, Scalar ord=2, int[]? dim=None, bool keepdim=False, ScalarType? "
     "dtype=None)",
     norm},
    {"aten.norm.Scalar(Tensor self, Scalar p=2)", norm},
    {"aten.norm.ScalarOpt_dim(Tensor self, Scalar? p, int[] dim, bool keepdim=False)", norm},
    {"aten.frobenius_norm.dim(Tensor self, int[] dim, bool keepdim=False)",
     [](Call& call) -> Operand {
       const Tensor x = call.tensor("self");
       return call.reduce("ReduceL2", x, axes_of(call, x), keepdim(call));
     }},
    {"aten.cumsum.default(Tensor self, int dim, ScalarType? dtype=None)", cumulative_sum},
    {"aten.topk.default(Tensor self, int k, int dim=-1, bool largest=True, bool sorted=True)", topk},
    {"aten.sort.default(Tensor self, int dim=-1, bool descending=False)", sort},
    {"aten.sort.stable(Tensor self, bool? stable, int dim=-1, bool descending=False)", sort},
    {"aten.argsort.default(Tensor self, int dim=-1, bool descending=False)", argsort},
});

}  // namespace

std::span<const Operator> reduction_operators() {
  return kReductionOperators;
}

}  // namespace slipway::convert::operators::internal
