#include <algorithm>

#include "compile/onnx_graph/type_rules.hpp"

namespace slipway::compile::onnx_graph::type_rules {

std::optional<Integers> known_integers(const Facts& facts) {
  const Node& node = facts.node;
  const auto first = facts.integers(0);
  if (node.is("Shape")) {
    const KnownShape shape = facts.shape(0);
    const bool is_part = node.has_attribute("start") || node.has_attribute("end");
    const bool is_known = shape && !is_part && std::ranges::all_of(*shape, [](std::int64_t size) { return size >= 0; });
    return is_known ? std::optional<Integers>(*shape) : std::nullopt;
  }
  if (node.is("Identity") || node.is("Squeeze") || node.is("Unsqueeze")) return first;
  if (node.is("Cast")) return node.integer("to") == number(tensor::Dtype::kInt64) ? first : std::nullopt;
  if (node.is("Concat")) {
    Integers all;
    for (std::size_t i = 0; i < node.inputs().size(); ++i) {
      const auto part = facts.integers(i);
      if (!part) return std::nullopt;
      all.insert(all.end(), part->begin(), part->end());
    }
    return all;
  }
  const auto second = facts.integers(1);
  if (!first || !second) return std::nullopt;
  if (node.is("Gather")) {
    Integers found;
    for (const std::int64_t index : *second) {
      const auto at = place(index, first->size());
      if (!at) return std::nullopt;
      found.push_back((*first)[*at]);
    }
    return found;
  }
  const bool is_arithmetic = node.is("Add") || node.is("Sub") || node.is("Mul") || node.is("Div");
  const bool fits = first->size() == second->size() || first->size() == 1 || second->size() == 1;
  if (!is_arithmetic || !fits) return std::nullopt;
  Integers result(first->size() == 1 ? second->size() : first->size());  // of none and one it is none
  for (std::size_t i = 0; i < result.size(); ++i) {
    const std::int64_t a = (*first)[first->size() == 1 ? 0 : i], b = (*second)[second->size() == 1 ? 0 : i];
    bool overflows = false;
    if (node.is("Add")) overflows = __builtin_add_overflow(a, b, &result[i]);
    if (node.is("Sub")) overflows = __builtin_sub_overflow(a, b, &result[i]);
    if (node.is("Mul")) overflows = __builtin_mul_overflow(a, b, &result[i]);
    if (node.is("Div")) {
      overflows = b == 0 || b == -1;
      result[i] = overflows ? 0 : a / b;
    }
    if (overflows) return std::nullopt;
  }
  return result;
}

}  // namespace slipway::compile::onnx_graph::type_rules
