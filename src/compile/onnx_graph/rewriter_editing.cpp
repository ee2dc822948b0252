#include <utility>

#include <onnx.pb.h>

#include "compile/onnx_graph/rewriter.hpp"
#include "compile/onnx_graph/values.hpp"

namespace slipway::compile::onnx_graph {
namespace {

/// From this version on, initialisers need not be graph inputs.
constexpr std::int64_t kIrWithFreeInitializers = 4;

}  // namespace

void Rewriter::drop_use(Value* value, const Node& node, std::size_t input) {
  if (value == nullptr) return;
  std::erase_if(value->uses_, [&](const Use& use) { return use.node == &node && use.input == input; });
}

void Rewriter::set_input(Node& node, std::size_t input, Value* value) {
  while (node.inputs_.size() <= input) {
    node.inputs_.push_back(nullptr);
    node.proto_->add_input("");
  }
  drop_use(node.inputs_[input], node, input);
  node.inputs_[input] = value;
  node.proto_->set_input(static_cast<int>(input), value == nullptr ? "" : value->name_);
  if (value != nullptr) value->uses_.push_back({&node, input});
  // A reader in an inner graph makes the order of the nodes around that graph matter.
  for (Scope* scope = node.scope_; scope != nullptr; scope = scope->outer_) scope->is_unsorted_ = true;
}

void Rewriter::redirect_uses(Value& from, Value& to, const Node* except) {
  const std::vector<Use> uses = std::exchange(from.uses_, {});
  for (const Use& use : uses) {
    if (use.node == except) {
      from.uses_.push_back(use);
      continue;
    }
    use.node->inputs_[use.input] = &to;
    use.node->proto_->set_input(static_cast<int>(use.input), to.name_);
    to.uses_.push_back(use);
    for (Scope* scope = use.node->scope_; scope != nullptr; scope = scope->outer_) scope->is_unsorted_ = true;
  }
}

void Rewriter::set_output(Scope& scope, std::size_t position, Value& value) {
  std::erase(scope.outputs_[position]->output_places_, std::pair(&scope, position));
  scope.outputs_[position] = &value;
  value.output_places_.emplace_back(&scope, position);
  scope.name_output(position, value.name_);
  if (scope.graph_ != nullptr && value.type_.element_type) {
    write_type(*scope.graph_->mutable_output(static_cast<int>(position)), value.type_);
  }
}

Node& Rewriter::insert_after(Value& value, const std::string& op_type, std::string_view new_name,
                             const Attributes& attributes, const std::vector<Value*>& further) {
  std::vector<Value*> inputs = {&value};
  inputs.insert(inputs.end(), further.begin(), further.end());
  Node& node = add_node(*value.scope_, op_type, inputs, {std::string(new_name)}, attributes);
  redirect_uses(value, *node.outputs_.front(), &node);
  return node;
}

Node& Rewriter::insert_under_name(Value& value, const std::string& op_type, std::string_view inner_name,
                                  const Attributes& attributes, const std::vector<Value*>& further) {
  const std::string name = value.name_;
  const ValueType type = value.type_;
  const auto places = value.output_places_;
  relabel(value, fresh_value_name(inner_name));
  forget_declaration(value);
  value_names_.release(name);
  std::vector<Value*> inputs = {&value};
  inputs.insert(inputs.end(), further.begin(), further.end());
  Node& node = add_node(*value.scope_, op_type, inputs, {name}, attributes);
  node.outputs_.front()->type_ = type;
  for (const auto& [place, position] : places) set_output(*place, position, *node.outputs_.front());
  return node;
}

void Rewriter::disconnect(Scope& scope) {
  scope.is_removed_ = true;
  for (Node* node : scope.nodes_) {
    for (std::size_t i = 0; i < node->inputs_.size(); ++i) drop_use(node->inputs_[i], *node, i);
    for (Scope* inner : node->inner_graphs_) disconnect(*inner);
  }
  for (std::size_t i = 0; i < scope.outputs_.size(); ++i) {
    std::erase(scope.outputs_[i]->output_places_, std::pair(&scope, i));
  }
}

void Rewriter::remove(Node& node) {
  for (std::size_t i = 0; i < node.inputs_.size(); ++i) drop_use(node.inputs_[i], node, i);
  for (Scope* inner : node.inner_graphs_) disconnect(*inner);
  for (Value* output : node.outputs_) {
    if (output == nullptr || output->producer_ != &node) continue;
    output->producer_ = nullptr;
    forget_declaration(*output);
  }
  node.is_removed_ = true;
  has_removed_ = true;
  std::erase(node.scope_->nodes_, &node);
}

bool Rewriter::remove_if_unused(Value& value) {
  if (!value.is_unused() || value.is_input_) return false;
  if (value.tensor_ != nullptr) {
    auto& tensors = *value.scope_->graph_->mutable_initializer();
    for (int i = 0; i < tensors.size(); ++i) {
      if (&tensors.Get(i) != value.tensor_) continue;
      tensors.DeleteSubrange(i, 1);
      break;
    }
    value.tensor_ = nullptr;
    std::erase(value.scope_->initializers_, &value);
    forget_declaration(value);
    return true;
  }
  Node* const node = value.producer_;
  if (node == nullptr) return false;
  for (const Value* output : node->outputs_) {
    if (output != nullptr && !output->is_unused()) return false;
  }
  const std::vector<Value*> inputs = node->inputs_;
  remove(*node);
  for (Value* input : inputs) {
    if (input != nullptr) remove_if_unused(*input);
  }
  return true;
}

bool Rewriter::replace_by_initializer(Node& node, const TensorBytes& tensor) {
  if (node.outputs_.size() != 1 || node.outputs_.front() == nullptr || node.scope_->graph_ == nullptr) return false;
  Value& value = *node.outputs_.front();
  if (value.is_output() || value.producer_ != &node || value.is_initializer()) return false;
  remove(node);
  value.tensor_ = value.scope_->graph_->add_initializer();
  value.tensor_->set_name(value.name_);
  write_tensor(*value.tensor_, tensor);
  value.type_ = {tensor.element_type, tensor.shape};
  value.scope_->initializers_.push_back(&value);
  return true;
}

bool Rewriter::replace_constant(Node& node) {
  if (!node.is("Constant")) return false;
  auto& proto = *node.proto_;
  if (proto.attribute_size() != 1 || !proto.attribute(0).ref_attr_name().empty()) return false;
  auto& attribute = *proto.mutable_attribute(0);
  onnx::TensorProto tensor;
  if (attribute.name() == "value" && attribute.has_t()) {
    tensor.Swap(attribute.mutable_t());
  } else if (attribute.name() == "value_float") {
    tensor.set_data_type(onnx::TensorProto::FLOAT);
    tensor.add_float_data(attribute.f());
  } else if (attribute.name() == "value_floats") {
    tensor.set_data_type(onnx::TensorProto::FLOAT);
    tensor.add_dims(attribute.floats_size());
    *tensor.mutable_float_data() = attribute.floats();
  } else if (attribute.name() == "value_int") {
    tensor.set_data_type(onnx::TensorProto::INT64);
    tensor.add_int64_data(attribute.i());
  } else if (attribute.name() == "value_ints") {
    tensor.set_data_type(onnx::TensorProto::INT64);
    tensor.add_dims(attribute.ints_size());
    *tensor.mutable_int64_data() = attribute.ints();
  } else {
    return false;
  }
  Value* const value = node.output(0);
  if (value == nullptr || !replace_by_initializer(node, {tensor.data_type(), {}, {}})) {
    if (attribute.name() == "value") attribute.mutable_t()->Swap(&tensor);
    return false;
  }
  tensor.set_name(value->name_);
  value->tensor_->Swap(&tensor);
  value->type_.shape = tensor::Shape(value->tensor_->dims().begin(), value->tensor_->dims().end());
  return true;
}

void Rewriter::make_constant(Value& initializer) {
  if (!initializer.is_input_) return;
  Scope& scope = *initializer.scope_;
  auto& inputs = *scope.graph_->mutable_input();
  for (int i = inputs.size() - 1; i >= 0; --i) {
    if (inputs.Get(i).name() != initializer.name_) continue;
    std::erase(initializer.declarations_, inputs.Mutable(i));
    inputs.DeleteSubrange(i, 1);
  }
  initializer.is_input_ = false;
  std::erase(scope.inputs_, &initializer);
  auto& model = model_.mutable_proto();
  if (model.ir_version() < kIrWithFreeInitializers) model.set_ir_version(kIrWithFreeInitializers);
}

}  // namespace slipway::compile::onnx_graph
