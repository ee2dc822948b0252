#include <fmt/format.h>
#include <onnx.pb.h>

#include "compile/onnx_graph/external_file.hpp"
#include "compile/onnx_graph/rewriter.hpp"
#include "compile/onnx_graph/values.hpp"

namespace slipway::compile::onnx_graph {

void Rewriter::import_domain(const std::string& domain, std::int64_t version) {
  for (auto& opset : *model_.mutable_proto().mutable_opset_import()) {
    if (opset.domain() == domain) return opset.set_version(version);
  }
  auto& opset = *model_.mutable_proto().add_opset_import();
  opset.set_domain(domain);
  opset.set_version(version);
}

Value& Rewriter::add_input(Scope& scope, const std::string& name, const ValueType& type) {
  Value& value = new_value(scope, fresh_value_name(name));
  value.is_input_ = true;
  value.type_ = type;
  scope.inputs_.push_back(&value);
  auto& info = *scope.graph_->add_input();
  info.set_name(value.name_);
  write_type(info, type);
  value.declarations_.push_back(&info);
  return value;
}

void Rewriter::add_output(Value& value, Scope& scope) {
  value.output_places_.emplace_back(&scope, scope.outputs_.size());
  scope.outputs_.push_back(&value);
  if (scope.function_ != nullptr) {
    scope.function_->add_output(value.name_);
    return;
  }
  auto& info = *scope.graph_->add_output();
  info.set_name(value.name_);
  write_type(info, value.type_);
}

Value& Rewriter::add_initializer(Scope& scope, std::string_view name, const TensorBytes& tensor) {
  Value& value = new_value(scope, fresh_value_name(name));
  value.tensor_ = scope.graph_->add_initializer();
  value.tensor_->set_name(value.name_);
  write_tensor(*value.tensor_, tensor);
  value.type_ = {tensor.element_type, tensor.shape};
  scope.initializers_.push_back(&value);
  return value;
}

Value& Rewriter::add_initializer_view(std::string_view name, const TensorBytes& tensor,
                                      std::shared_ptr<const void> owner) {
  const std::string location = model_.retain_view({tensor.bytes, std::move(owner)});
  return add_external_initializer(name, tensor.element_type, tensor.shape, location, 0);
}

Value& Rewriter::add_external_initializer(std::string_view name, int element_type, const tensor::Shape& shape,
                                          const std::string& file, std::uint64_t offset) {
  Value& value = add_initializer(*main_, name, {element_type, shape, {}});
  value.tensor_->clear_raw_data();
  set_external_location(*value.tensor_, file, offset);
  return value;
}

Node& Rewriter::add_node(Scope& scope, const std::string& op_type, const std::vector<Value*>& inputs,
                         const std::vector<std::string>& outputs, const Attributes& attributes, std::string_view name,
                         const std::string& domain) {
  Node& node = nodes_.emplace_back();
  node.proto_ = scope.graph_ != nullptr ? scope.graph_->add_node() : scope.function_->add_node();
  node.scope_ = &scope;
  node.proto_->set_op_type(op_type);
  if (!domain.empty()) node.proto_->set_domain(domain);
  for (const std::string& wanted : outputs) {
    if (wanted.empty()) {
      node.outputs_.push_back(nullptr);
      node.proto_->add_output("");
      continue;
    }
    Value& value = new_value(scope, fresh_value_name(wanted));
    value.producer_ = &node;
    value.output_index_ = node.outputs_.size();
    node.outputs_.push_back(&value);
    node.proto_->add_output(value.name_);
  }
  const std::string made = fmt::format("{}/{}", outputs.empty() ? "" : node.proto_->output(0), op_type);
  node.proto_->set_name(fresh_node_name(name.empty() ? made : name));
  for (Value* const input : inputs) {
    if (input != nullptr) input->uses_.push_back({&node, node.inputs_.size()});
    node.inputs_.push_back(input);
    node.proto_->add_input(input == nullptr ? "" : input->name_);
  }
  for (const auto& [attribute, value] : attributes) node.set_attribute(attribute, value);
  scope.nodes_.push_back(&node);
  scope.is_unsorted_ = true;
  return node;
}

Scope& Rewriter::add_inner_graph(Node& node, const std::string& attribute, const std::string& name) {
  auto& made = *node.proto_->add_attribute();
  made.set_name(attribute);
  made.set_type(onnx::AttributeProto::GRAPH);
  Scope& scope = new_scope(node.scope_, &node);
  scope.graph_ = made.mutable_g();
  scope.graph_->set_name(name);
  node.inner_graphs_.push_back(&scope);
  return scope;
}

Scope& Rewriter::add_function(const std::string& domain, const std::string& name,
                              const std::vector<std::string>& inputs) {
  Scope& scope = new_scope(nullptr, nullptr);
  scope.function_ = model_.mutable_proto().add_functions();
  scope.function_->set_domain(domain);
  scope.function_->set_name(name);
  *scope.function_->mutable_opset_import() = model_.proto().opset_import();
  for (const std::string& input : inputs) {
    Value& value = new_value(scope, fresh_value_name(input));
    value.is_input_ = true;
    scope.inputs_.push_back(&value);
    scope.function_->add_input(value.name_);
  }
  return scope;
}

}  // namespace slipway::compile::onnx_graph
