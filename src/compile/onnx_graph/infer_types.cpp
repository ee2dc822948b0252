#include "compile/onnx_graph/infer_types.hpp"

#include "compile/onnx_graph/type_rules.hpp"

namespace slipway::compile::onnx_graph {
namespace {

/// Longer ones are data, not sizes.
constexpr std::size_t kMostIntegers = 64;

/// What two sources say of a value, taken together; the first has precedence.
ValueType merged(const ValueType& declared, const ValueType& inferred) {
  ValueType type = declared;
  if (!type.element_type) type.element_type = inferred.element_type;
  if (!type.shape) {
    type.shape = inferred.shape;
  } else if (inferred.shape && inferred.shape->size() == type.shape->size()) {
    for (std::size_t i = 0; i < type.shape->size(); ++i) {
      if ((*type.shape)[i] < 0) (*type.shape)[i] = (*inferred.shape)[i];
    }
  }
  return type;
}

}  // namespace

InferredTypes::InferredTypes(Rewriter& rewriter) {
  for (Scope* scope : rewriter.scopes()) {
    if (scope->outer() == nullptr) read(*scope);
  }
}

void InferredTypes::read(Scope& scope) {
  for (const Node* node : scope.nodes()) {
    for (Scope* inner : node->inner_graphs()) read(*inner);
    add(*node);
  }
}

ValueType InferredTypes::type(const Value& value) const {
  const auto found = types_.find(&value);
  return found == types_.end() ? value.type() : merged(value.type(), found->second);
}

std::optional<std::vector<std::int64_t>> InferredTypes::integers(const Value& value) const {
  if (const auto found = integers_.find(&value); found != integers_.end()) return found->second;
  const bool is_list = value.type().shape && value.type().shape->size() < 2;
  return value.is_constant() && is_list && value.size_bytes() <= kMostIntegers * sizeof(std::int64_t) ? value.integers()
                                                                                                      : std::nullopt;
}

void InferredTypes::add(const Node& node) {
  if (!node.is_standard()) return;
  const type_rules::Facts facts{*this, node};
  if (const auto rule = type_rules::find(node.op_type())) {
    const auto types = rule(facts);
    for (std::size_t i = 0; i < types.size(); ++i) {
      const Value* const output = node.output(i);
      // A rule for values of the node's graph alone: a name that two nodes give belongs to neither.
      if (output != nullptr && output->producer() == &node) types_[output] = types[i];
    }
  }
  const Value* const output = node.output(0);
  if (output == nullptr || node.outputs().size() != 1) return;
  auto integers = type_rules::known_integers(facts);
  const ValueType known = type(*output);
  const bool is_list =
      known.element_type == type_rules::number(tensor::Dtype::kInt64) && known.shape && known.shape->size() < 2;
  if (!integers || !is_list || integers->size() > kMostIntegers) return;
  if (known.shape->empty() && integers->size() != 1) return;
  integers_[output] = std::move(*integers);
}

}  // namespace slipway::compile::onnx_graph
