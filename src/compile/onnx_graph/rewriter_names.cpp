#include <onnx.pb.h>

#include "compile/onnx_graph/rewriter.hpp"

namespace slipway::compile::onnx_graph {

std::string Rewriter::fresh_value_name(std::string_view wanted) {
  return value_names_.fresh(wanted);
}
std::string Rewriter::fresh_node_name(std::string_view wanted) {
  return node_names_.fresh(wanted);
}

void Rewriter::release_name(const std::string& name, const Scope& scope) {
  if (!value_names_.contains(name)) return;
  for (Scope* other : all_scopes_) {
    if (!other->is_inside(scope) && !scope.is_inside(*other)) continue;
    const auto found = other->values_.find(name);
    if (found != other->values_.end()) relabel(*found->second, fresh_value_name(name + "_inner"));
  }
  value_names_.release(name);  // a value of another branch may still have it: the two never meet
}

void Rewriter::rename(Value& value, const std::string& name) {
  if (value.name_ == name) return;
  release_name(name, *value.scope_);
  relabel(value, name);
}

void Rewriter::rename(Node& node, const std::string& name) {
  node_names_.reserve(name);
  node.proto_->set_name(name);
}

void Rewriter::relabel(Value& value, const std::string& name) {
  const std::string old = value.name_;
  Scope& scope = *value.scope_;
  scope.values_.erase(old);
  scope.values_.emplace(name, &value);
  value_names_.reserve(name);
  value.name_ = name;
  if (value.tensor_ != nullptr) value.tensor_->set_name(name);
  if (value.sparse_values_ != nullptr) value.sparse_values_->set_name(name);
  if (value.producer_ != nullptr) value.producer_->proto_->set_output(static_cast<int>(value.output_index_), name);
  for (auto* info : value.declarations_) info->set_name(name);
  for (const auto& [node, input] : value.uses_) node->proto_->set_input(static_cast<int>(input), name);
  for (const auto& [place, position] : value.output_places_) place->name_output(position, name);
  if (scope.function_ != nullptr) {
    for (auto& input : *scope.function_->mutable_input()) {
      if (input == old) input = name;
    }
    return;
  }
  for (auto& annotation : *scope.graph_->mutable_quantization_annotation()) {
    if (annotation.tensor_name() == old) annotation.set_tensor_name(name);
    for (auto& parameter : *annotation.mutable_quant_parameter_tensor_names()) {
      if (parameter.value() == old) parameter.set_value(name);
    }
  }
}

}  // namespace slipway::compile::onnx_graph
