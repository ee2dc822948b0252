#include "compile/onnx_graph/rewriter.hpp"

#include <onnx.pb.h>

#include "compile/onnx_graph/values.hpp"

namespace slipway::compile::onnx_graph {

Rewriter::Rewriter(Model& model) : model_(model) {
  main_ = &new_scope(nullptr, nullptr);
  index(*main_, *model.mutable_proto().mutable_graph());
  for (auto& function : *model.mutable_proto().mutable_functions()) index(new_scope(nullptr, nullptr), function);
  // Uses are known only when every scope's own values are: an inner graph may stand before what it reads.
  const std::vector<Scope*> scopes = all_scopes_;
  for (Scope* scope : scopes) connect(*scope);
}

Rewriter::~Rewriter() {
  for (Scope* scope : all_scopes_) {
    if (scope->is_removed_) continue;
    if (scope->is_unsorted_) sort(*scope);
    if (!forgotten_.empty()) drop_forgotten(*scope);
  }
  if (has_removed_) {
    for (auto scope = all_scopes_.rbegin(); scope != all_scopes_.rend(); ++scope) {
      if (!(*scope)->is_removed_) drop_removed(**scope);
    }
  }
}

Scope& Rewriter::new_scope(Scope* outer, Node* owner) {
  Scope& scope = scopes_.emplace_back();
  scope.outer_ = outer;
  scope.owner_ = owner;
  all_scopes_.push_back(&scope);
  return scope;
}

Value& Rewriter::new_value(Scope& scope, const std::string& name) {
  Value& value = values_.emplace_back();
  value.name_ = name;
  value.scope_ = &scope;
  scope.values_.emplace(name, &value);
  value_names_.reserve(name);
  return value;
}

Value& Rewriter::defined(Scope& scope, const std::string& name) {
  const auto found = scope.values_.find(name);
  return found != scope.values_.end() ? *found->second : new_value(scope, name);
}

/// What a use means. A name that no scope defines becomes a value of the outermost: the file is not right, but it is
/// not made worse.
Value& Rewriter::resolved(Scope& scope, const std::string& name) {
  if (Value* const found = scope.find(name)) return *found;
  Scope* outermost = &scope;
  while (outermost->outer_ != nullptr) outermost = outermost->outer_;
  return new_value(*outermost, name);
}

void Rewriter::declare(Value& value, onnx::ValueInfoProto& info) {
  value.declarations_.push_back(&info);
  const ValueType type = type_of(info);
  if (!value.type_.element_type) value.type_.element_type = type.element_type;
  if (!value.type_.shape) value.type_.shape = type.shape;
}

void Rewriter::index(Scope& scope, onnx::GraphProto& graph) {
  scope.graph_ = &graph;
  for (auto& tensor : *graph.mutable_initializer()) {
    Value& value = defined(scope, tensor.name());
    value.tensor_ = &tensor;
    value.type_ = {tensor.data_type(), tensor::Shape(tensor.dims().begin(), tensor.dims().end())};
    scope.initializers_.push_back(&value);
  }
  for (auto& sparse : *graph.mutable_sparse_initializer()) {
    if (!sparse.has_values()) continue;  // as inner graphs may have it: looking must not make the message
    Value& value = defined(scope, sparse.values().name());
    value.sparse_values_ = sparse.mutable_values();
    value.type_ = {sparse.values().data_type(), tensor::Shape(sparse.dims().begin(), sparse.dims().end())};
    scope.initializers_.push_back(&value);
  }
  for (auto& input : *graph.mutable_input()) {
    Value& value = defined(scope, input.name());
    value.is_input_ = true;
    scope.inputs_.push_back(&value);
    declare(value, input);
  }
  for (auto& node : *graph.mutable_node()) index_node(scope, node);
  for (auto& info : *graph.mutable_value_info()) {
    const auto found = scope.values_.find(info.name());
    if (found != scope.values_.end()) declare(*found->second, info);
  }
}

void Rewriter::index(Scope& scope, onnx::FunctionProto& function) {
  scope.function_ = &function;
  for (const auto& input : function.input()) {
    Value& value = defined(scope, input);
    value.is_input_ = true;
    scope.inputs_.push_back(&value);
  }
  for (auto& node : *function.mutable_node()) index_node(scope, node);
  for (auto& info : *function.mutable_value_info()) {
    const auto found = scope.values_.find(info.name());
    if (found != scope.values_.end()) declare(*found->second, info);
  }
}

void Rewriter::index_node(Scope& scope, onnx::NodeProto& proto) {
  Node& node = nodes_.emplace_back();
  node.proto_ = &proto;
  node.scope_ = &scope;
  scope.nodes_.push_back(&node);
  if (!proto.name().empty()) node_names_.reserve(proto.name());
  for (const auto& output : proto.output()) {
    if (output.empty()) {
      node.outputs_.push_back(nullptr);
      continue;
    }
    Value& value = defined(scope, output);
    value.producer_ = &node;
    value.output_index_ = node.outputs_.size();
    node.outputs_.push_back(&value);
  }
  for (auto& attribute : *proto.mutable_attribute()) {
    const auto enter = [&](onnx::GraphProto& graph) {
      Scope& inner = new_scope(&scope, &node);
      node.inner_graphs_.push_back(&inner);
      index(inner, graph);
    };
    if (attribute.has_g()) enter(*attribute.mutable_g());
    for (auto& graph : *attribute.mutable_graphs()) enter(graph);
  }
}

void Rewriter::connect(Scope& scope) {
  for (Node* node : scope.nodes_) {
    for (const auto& input : node->proto_->input()) {
      Value* const value = input.empty() ? nullptr : &resolved(scope, input);
      if (value != nullptr) value->uses_.push_back({node, node->inputs_.size()});
      node->inputs_.push_back(value);
    }
  }
  const auto note_output = [&](const std::string& name) -> Value& {
    Value& value = resolved(scope, name);
    value.output_places_.emplace_back(&scope, scope.outputs_.size());
    scope.outputs_.push_back(&value);
    return value;
  };
  if (scope.graph_ != nullptr) {
    for (const auto& output : scope.graph_->output()) {
      Value& value = note_output(output.name());
      const ValueType type = type_of(output);
      if (!value.type_.element_type) value.type_.element_type = type.element_type;
      if (!value.type_.shape) value.type_.shape = type.shape;
    }
  } else {
    for (const auto& output : scope.function_->output()) note_output(output);
  }
}

std::vector<Value*> Rewriter::fed_inputs() const {
  std::vector<Value*> inputs;
  for (Value* input : main_->inputs_) {
    if (!input->is_initializer()) inputs.push_back(input);
  }
  return inputs;
}

base::Result<std::int64_t> Rewriter::opset() const {
  return default_opset(model_.proto());
}

}  // namespace slipway::compile::onnx_graph
