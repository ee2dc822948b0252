#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "convert/operators/internal/families.hpp"

/// Products of matrices, and attention.
namespace slipway::convert::operators::internal {
namespace {

Tensor turned(Call& call, const Tensor& x) {
  Integers axes = counted(x.rank());
  if (axes.size() < 2) return x;
  std::swap(axes[axes.size() - 1], axes[axes.size() - 2]);
  return call.transpose(x, axes);
}

Operand linear(Call& call) {
  const Tensor x = call.tensor("input"), weight = call.tensor("weight");
  const bool has_bias = call.has("bias");
  if (x.rank() == 2 && weight.rank() == 2) {
    std::vector<Tensor> inputs = {x, weight};
    if (has_bias) inputs.push_back(call.tensor("bias"));
    return call.add("Gemm", inputs, {{"transB", std::int64_t{1}}});
  }
  const Tensor y = call.add("MatMul", {x, turned(call, weight)});
  return has_bias ? call.add("Add", {y, call.tensor("bias")}) : y;
}

Operand matmul(Call& call) {
  return call.add("MatMul", {call.tensor("self"), call.tensor(call.has_parameter("mat2")     ? "mat2"
                                                              : call.has_parameter("vec")    ? "vec"
                                                              : call.has_parameter("tensor") ? "tensor"
                                                                                             : "other")});
}

Tensor times(Call& call, const Tensor& x, std::string_view factor) {
  return call.real(factor) == 1 ? x : call.add("Mul", {x, call.number(call.operand(factor), x.dtype)});
}
Operand addmm(Call& call) {
  const Tensor self = call.tensor("self");
  if (is_floating(self.dtype) && self.rank() <= 2) {
    return call.add(
        "Gemm", {call.tensor("mat1"), call.tensor("mat2"), self},
        {{"alpha", static_cast<float>(call.real("alpha"))}, {"beta", static_cast<float>(call.real("beta"))}});
  }
  const Tensor product = call.add("MatMul", {call.tensor("mat1"), call.tensor("mat2")});
  return call.add("Add", {times(call, self, "beta"), times(call, product, "alpha")});
}
Operand baddbmm(Call& call) {
  const Tensor product = call.add("MatMul", {call.tensor("batch1"), call.tensor("batch2")});
  return call.add("Add", {times(call, call.tensor("self"), "beta"), times(call, product, "alpha")});
}
Operand outer(Call& call) {
  return call.add("Mul", {call.unsqueeze(call.tensor("self"), {1}), call.unsqueeze(call.tensor("vec2"), {0})});
}

// Einstein sums. -------------------------------------------------------------------------------------------------

/// A tensor with a letter for each axis.
struct Labelled {
  Tensor tensor;
  std::string labels;
};

Labelled ordered(Call& call, const Labelled& from, const std::string& labels) {
  Integers axes;
  for (const char label : labels) axes.push_back(static_cast<std::int64_t>(from.labels.find(label)));
  return {call.transpose(from.tensor, axes), labels};
}

/// Sums over the axes whose letters are in neither of the two.
Labelled without(Call& call, const Labelled& from, const std::string& wanted, const std::string& also_wanted) {
  Integers axes;
  std::string labels;
  for (std::size_t i = 0; i < from.labels.size(); ++i) {
    const bool stays =
        wanted.find(from.labels[i]) != std::string::npos || also_wanted.find(from.labels[i]) != std::string::npos;
    if (stays) {
      labels += from.labels[i];
    } else {
      axes.push_back(static_cast<std::int64_t>(i));
    }
  }
  return axes.empty() ? from : Labelled{call.reduce("ReduceSum", from.tensor, axes, false), labels};
}

/// Two operands as one product of matrices: [shared, own, summed] × [shared, summed, own].
Labelled product(Call& call, const Labelled& a, const Labelled& b, const std::string& wanted) {
  std::string shared, summed, of_a, of_b;
  for (const char label : a.labels) {
    const bool in_b = b.labels.find(label) != std::string::npos, in_wanted = wanted.find(label) != std::string::npos;
    (in_b ? (in_wanted ? shared : summed) : of_a) += label;
  }
  for (const char label : b.labels) {
    if (a.labels.find(label) == std::string::npos) of_b += label;
  }
  const Tensor x = ordered(call, a, shared + of_a + summed).tensor, y = ordered(call, b, shared + summed + of_b).tensor;
  std::map<char, std::int64_t> sizes;
  const auto note = [&](const std::string& labels, const Tensor& from) {
    for (std::size_t i = 0; i < labels.size(); ++i) {
      if (from.shape[i] < 0) refuse("sizes must be known; fix the sizes of the inputs (--input-spec)");
      sizes[labels[i]] = std::max(sizes[labels[i]], from.shape[i]);
    }
  };
  note(shared + of_a + summed, x);
  note(shared + summed + of_b, y);
  const auto area = [&](const std::string& labels) {
    std::int64_t count = 1;
    for (const char label : labels) count *= sizes[label];
    return count;
  };
  Integers first, second, result;
  for (const char label : shared) first.push_back(sizes[label]);
  second = result = first;
  first.insert(first.end(), {area(of_a), area(summed)});
  second.insert(second.end(), {area(summed), area(of_b)});
  for (const char label : of_a + of_b) result.push_back(sizes[label]);
  const Tensor z = call.add("MatMul", {call.reshape(x, first), call.reshape(y, second)});
  return {call.reshape(z, result), shared + of_a + of_b};
}

Operand einsum(Call& call) {
  std::string equation = call.text("equation");
  std::erase(equation, ' ');
  if (equation.find('.') != std::string::npos) refuse("'...' is not taken: '{}'", equation);
  const auto arrow = equation.find("->");
  std::vector<Labelled> operands;
  std::string terms = equation.substr(0, arrow);
  const std::vector<Tensor> tensors = call.tensors("tensors");
  std::map<char, int> counts;
  for (const Tensor& each : tensors) {
    const auto comma = std::min(terms.find(','), terms.size());
    operands.push_back({each, terms.substr(0, comma)});
    terms.erase(0, std::min(comma + 1, terms.size()));
    if (operands.back().labels.size() != each.shape.size()) refuse("'{}' does not fit the operands", equation);
    for (const char label : operands.back().labels) {
      ++counts[label];
      if (std::ranges::count(operands.back().labels, label) > 1) refuse("diagonals are not taken: '{}'", equation);
    }
  }
  std::string wanted = arrow == std::string::npos ? "" : equation.substr(arrow + 2);
  if (arrow == std::string::npos) {
    for (const auto& [label, count] : counts) {
      if (count == 1) wanted += label;
    }
  }
  if (operands.empty()) refuse("it has no operands");
  Labelled result = operands.front();
  for (std::size_t i = 0; i < operands.size(); ++i) {
    std::string rest;
    for (std::size_t later = i + 1; later < operands.size(); ++later) rest += operands[later].labels;
    if (i == 0) {
      result = without(call, result, wanted, rest);
      continue;
    }
    const Labelled next = without(call, operands[i], wanted + rest, result.labels);
    result = product(call, without(call, result, wanted + rest, next.labels), next, wanted + rest);
  }
  return ordered(call, result, wanted).tensor;
}

// Attention. -----------------------------------------------------------------------------------------------------

/// Far enough for the exponential to be 0, and within float16.
constexpr double kNever = -65504;

/// The same number of heads for keys and values as for queries.
Tensor repeated_heads(Call& call, const Tensor& x, std::int64_t heads) {
  if (x.shape.at(1) == heads) return x;
  const std::int64_t times = heads / x.shape.at(1);
  Integers wide = x.shape, flat = x.shape;
  wide.insert(wide.begin() + 2, times);
  flat[1] = heads;
  std::vector<Operand> sizes(wide.begin(), wide.end());
  return call.reshape(call.expand(call.unsqueeze(x, {2}), sizes), flat);
}

Operand attention(Call& call) {
  const Tensor query = call.tensor("query");
  Tensor key = call.tensor("key"), value = call.tensor("value");
  if (call.real("dropout_p") != 0)
    refuse("dropout_p is {}: the model was exported in training mode", call.real("dropout_p"));
  if (call.flag("enable_gqa") && query.rank() == 4) {
    key = repeated_heads(call, key, query.shape.at(1));
    value = repeated_heads(call, value, query.shape.at(1));
  }
  const std::int64_t width = query.shape.empty() ? -1 : query.shape.back();
  if (!call.has("scale") && width < 1) refuse("the width of the heads must be known");
  const double scale = call.has("scale") ? call.real("scale") : 1 / std::sqrt(static_cast<double>(width));
  Builder& b = call.builder();
  Tensor scores = call.add("MatMul", {call.add("Mul", {query, b.number(query.dtype, scale)}), turned(call, key)});
  const auto biased = [&](const Tensor& may_see) {
    return call.add("Where", {may_see, b.number(query.dtype, 0.0), b.number(query.dtype, kNever)});
  };
  if (call.flag("is_causal")) {
    const std::int64_t rows = query.shape.at(query.shape.size() - 2), columns = key.shape.at(key.shape.size() - 2);
    if (rows < 0 || columns < 0)
      refuse("sizes must be known for is_causal; fix the sizes of the inputs (--input-spec)");
    const Tensor places = call.unsqueeze(b.integers(counted(rows)), {1});
    scores = call.add("Add", {scores, biased(call.add("GreaterOrEqual", {places, b.integers(counted(columns))}))});
  }
  if (call.has("attn_mask")) {
    const Tensor mask = call.tensor("attn_mask");
    scores = call.add("Add", {scores, mask.dtype == ScalarType::kBool ? biased(mask) : call.cast(mask, scores.dtype)});
  }
  return call.add("MatMul", {call.add("Softmax", {scores}, {{"axis", std::int64_t{-1}}}), value});
}

/// Several heads over projections of all three, as nn.MultiheadAttention calls it in evaluation: what a trace records.
/// The projections of queries, keys and values lie one under the other in one weight.
Operand native_multi_head_attention(Call& call) {
  const Tensor query = call.tensor("query");
  const std::int64_t width = call.integer("embed_dim"), heads = call.integer("num_head");
  if (call.has("mask")) refuse("a mask; export the model by torch.export, which writes the attention out");
  if (query.rank() != 3 || width < 1 || heads < 1 || width % heads != 0) {
    refuse("{} heads of width {} over a tensor of rank {}", heads, width, query.rank());
  }
  const std::int64_t head_width = width / heads;
  const Tensor weight = call.tensor("qkv_weight"), bias = call.tensor("qkv_bias");
  const auto projected = [&](const Tensor& x, std::int64_t part, const Integers& permutation) {
    const Tensor rows = call.slice(weight, 0, part * width, (part + 1) * width);
    const Tensor product = call.add("MatMul", {x, turned(call, rows)});
    const Tensor sum = call.add("Add", {product, call.slice(bias, 0, part * width, (part + 1) * width)});
    if (x.shape[1] < 0) refuse("the length must be known; fix the sizes of the inputs (--input-spec)");
    return call.transpose(call.reshape(sum, {x.shape[0], x.shape[1], heads, head_width}), permutation);
  };
  const Tensor queries = projected(query, 0, {0, 2, 1, 3});
  const Tensor keys = projected(call.tensor("key"), 1, {0, 2, 3, 1});
  const Tensor values = projected(call.tensor("value"), 2, {0, 2, 1, 3});
  const Tensor scale = call.builder().number(query.dtype, 1 / std::sqrt(static_cast<double>(head_width)));
  const Tensor scores = call.add("MatMul", {call.add("Mul", {queries, scale}), keys});
  const Tensor weights = call.add("Softmax", {scores}, {{"axis", std::int64_t{-1}}});
  const Tensor joined = call.transpose(call.add("MatMul", {weights, values}), {0, 2, 1, 3});
  const Tensor flat = call.reshape(joined, {query.shape[0], query.shape[1], width});
  const Tensor given = call.add("MatMul", {flat, turned(call, call.tensor("proj_weight"))});
  const Tensor output = call.add("Add", {given, call.tensor("proj_bias")});
  if (!call.flag("need_weights")) return Operands{output, Operand()};
  return Operands{output, call.flag("average_attn_weights") ? call.reduce("ReduceMean", weights, {1}, false) : weights};
}

constexpr auto kLinearOperators = std::to_array<Operator>({
    {"aten.linear.default(Tensor input, Tensor weight, Tensor? bias=None)", linear},
    {"aten.matmul.default(Tensor self, Tensor other)", matmul},
    {"aten.mm.default(Tensor self, Tensor mat2)", matmul},
    {"aten.bmm.default(Tensor self, Tensor mat2)", matmul},
    {"aten.mv.default(Tensor self, Tensor vec)", matmul},
    {"aten.dot.default(Tensor self, Tensor tensor)", matmul},
    {"aten.addmm.default(Tensor self, Tensor mat1, Tensor mat2, Scalar beta=1, Scalar alpha=1)", addmm},
    {"aten.baddbmm.default(Tensor self, Tensor batch1, Tensor batch2, Scalar beta=1, Scalar alpha=1)", baddbmm},
    {"aten.outer.default(Tensor self, Tensor vec2)", outer},
    {"aten.einsum.default(str equation, Tensor[] tensors, int[]? path=None)", einsum},
    {"aten.scaled_dot_product_attention.default(Tensor query, Tensor key, Tensor value, Tensor? attn_mask=None, float "
     "dropout_p=0.0, bool is_causal=False, float? scale=None, bool enable_gqa=False)",
     attention},
    {"aten._native_multi_head_attention.default(Tensor query, Tensor key, Tensor value, int embed_dim, int num_head, "
     "Tensor qkv_weight, Tensor qkv_bias, Tensor proj_weight, Tensor proj_bias, Tensor? mask=None, "
     "bool need_weights=True, bool average_attn_weights=True, int? mask_type=None)",
     native_multi_head_attention},
});

}  // namespace

std::span<const Operator> linear_operators() {
  return kLinearOperators;
}

}  // namespace slipway::convert::operators::internal
