#include "compile/onnx_graph/rewriter.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <onnx.pb.h>

#include "compile/onnx_graph/element_type.hpp"
#include "compile/onnx_graph/external_file.hpp"
#include "compile/onnx_graph/values.hpp"

namespace slipway::compile::onnx_graph {
namespace {

/// From this version on, initialisers need not be graph inputs.
constexpr std::int64_t kIrWithFreeInitializers = 4;

const onnx::AttributeProto* find_attribute(const onnx::NodeProto& node, std::string_view name) {
  for (const auto& attribute : node.attribute()) {
    if (attribute.name() == name) return &attribute;
  }
  return nullptr;
}

constexpr std::int64_t kFirstNumber = 2;

/// Takes a name that `names` does not have. A taken name keeps the number that its next namesake tries first, since a
/// converter may want one name many thousand times.
std::string fresh(std::unordered_map<std::string, std::int64_t>& names, std::string_view wanted) {
  std::string name(wanted);
  if (!name.empty() && names.try_emplace(name, kFirstNumber).second) return name;
  std::int64_t& number = names.try_emplace(name, kFirstNumber).first->second;
  do name = fmt::format("{}_{}", wanted, number++);
  while (!names.try_emplace(name, kFirstNumber).second);
  return name;
}

void fill(onnx::TensorProto& tensor, const TensorBytes& bytes) {
  tensor.set_data_type(bytes.element_type);
  for (const std::int64_t size : bytes.shape) tensor.add_dims(size);
  tensor.set_raw_data(bytes.bytes.data(), bytes.bytes.size());
}

void fill(onnx::AttributeProto& attribute, const AttributeValue& value) {
  const std::string name = attribute.name();
  attribute.Clear();
  attribute.set_name(name);
  if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    attribute.set_type(onnx::AttributeProto::INT);
    attribute.set_i(*integer);
  } else if (const auto* real = std::get_if<float>(&value)) {
    attribute.set_type(onnx::AttributeProto::FLOAT);
    attribute.set_f(*real);
  } else if (const auto* text = std::get_if<std::string>(&value)) {
    attribute.set_type(onnx::AttributeProto::STRING);
    attribute.set_s(*text);
  } else if (const auto* integers = std::get_if<std::vector<std::int64_t>>(&value)) {
    attribute.set_type(onnx::AttributeProto::INTS);
    for (const std::int64_t element : *integers) attribute.add_ints(element);
  } else if (const auto* reals = std::get_if<std::vector<float>>(&value)) {
    attribute.set_type(onnx::AttributeProto::FLOATS);
    for (const float element : *reals) attribute.add_floats(element);
  } else if (const auto* texts = std::get_if<std::vector<std::string>>(&value)) {
    attribute.set_type(onnx::AttributeProto::STRINGS);
    for (const std::string& element : *texts) attribute.add_strings(element);
  } else {
    attribute.set_type(onnx::AttributeProto::TENSOR);
    fill(*attribute.mutable_t(), std::get<TensorBytes>(value));
  }
}

void name_output(onnx::GraphProto* graph, onnx::FunctionProto* function, std::size_t position,
                 const std::string& name) {
  if (graph != nullptr) {
    graph->mutable_output(static_cast<int>(position))->set_name(name);
  } else {
    function->set_output(static_cast<int>(position), name);
  }
}

}  // namespace

// Value, Node, Scope. ------------------------------------------------------------------------------------------------

std::vector<std::string> Value::dimension_names() const {
  std::vector<std::string> names;
  if (declarations_.empty()) return names;
  for (const auto& dimension : declarations_.front()->type().tensor_type().shape().dim()) {
    names.push_back(dimension.dim_param());
  }
  return names;
}

std::optional<std::vector<std::int64_t>> Value::integers() const {
  return tensor_ == nullptr ? std::nullopt : int64_values(*tensor_);
}

std::optional<std::vector<float>> Value::floats() const {
  return tensor_ == nullptr ? std::nullopt : float_values(*tensor_);
}

std::optional<double> Value::scalar() const {
  return tensor_ == nullptr ? std::nullopt : scalar_value(*tensor_);
}

std::uint64_t Value::size_bytes() const {
  return tensor_ == nullptr ? 0 : tensor_size_bytes(*tensor_).value_or(0);
}

const std::string& Node::op_type() const {
  return proto_->op_type();
}
const std::string& Node::domain() const {
  return proto_->domain();
}
const std::string& Node::name() const {
  return proto_->name();
}
bool Node::is_standard() const {
  return domain().empty() || domain() == "ai.onnx";
}
bool Node::is(std::string_view op_type) const {
  return is_standard() && proto_->op_type() == op_type;
}
bool Node::has_attribute(std::string_view attribute) const {
  return find_attribute(*proto_, attribute) != nullptr;
}
std::optional<std::int64_t> Node::integer(std::string_view attribute) const {
  const auto* const found = find_attribute(*proto_, attribute);
  return found != nullptr && found->has_i() ? std::optional(found->i()) : std::nullopt;
}
std::optional<float> Node::real(std::string_view attribute) const {
  const auto* const found = find_attribute(*proto_, attribute);
  return found != nullptr && found->has_f() ? std::optional(found->f()) : std::nullopt;
}
std::optional<std::string> Node::text(std::string_view attribute) const {
  const auto* const found = find_attribute(*proto_, attribute);
  return found != nullptr && found->has_s() ? std::optional(found->s()) : std::nullopt;
}
std::optional<std::vector<std::int64_t>> Node::integers(std::string_view attribute) const {
  const auto* const found = find_attribute(*proto_, attribute);
  if (found == nullptr) return std::nullopt;
  return std::vector<std::int64_t>(found->ints().begin(), found->ints().end());
}
void Node::set_attribute(const std::string& name, const AttributeValue& value) {
  for (auto& attribute : *proto_->mutable_attribute()) {
    if (attribute.name() == name) return fill(attribute, value);
  }
  auto& attribute = *proto_->add_attribute();
  attribute.set_name(name);
  fill(attribute, value);
}

Value* Scope::find(const std::string& name) const {
  for (const Scope* scope = this; scope != nullptr; scope = scope->outer_) {
    if (const auto found = scope->values_.find(name); found != scope->values_.end()) return found->second;
  }
  return nullptr;
}

bool Scope::is_inside(const Scope& other) const {
  for (const Scope* scope = this; scope != nullptr; scope = scope->outer_) {
    if (scope == &other) return true;
  }
  return false;
}

// Reading. -----------------------------------------------------------------------------------------------------------

Rewriter::Rewriter(Model& model) : model_(model) {
  main_ = &new_scope(nullptr, nullptr);
  index(*main_, *model.proto().mutable_graph());
  for (auto& function : *model.proto().mutable_functions()) index(new_scope(nullptr, nullptr), function);
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
  value_names_.try_emplace(name, kFirstNumber);
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
  if (!proto.name().empty()) node_names_.try_emplace(proto.name(), kFirstNumber);
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

// Names. -------------------------------------------------------------------------------------------------------------

std::string Rewriter::fresh_value_name(std::string_view wanted) {
  return fresh(value_names_, wanted);
}
std::string Rewriter::fresh_node_name(std::string_view wanted) {
  return fresh(node_names_, wanted);
}

void Rewriter::release_name(const std::string& name, const Scope& scope) {
  if (!value_names_.contains(name)) return;
  for (Scope* other : all_scopes_) {
    if (!other->is_inside(scope) && !scope.is_inside(*other)) continue;
    const auto found = other->values_.find(name);
    if (found != other->values_.end()) relabel(*found->second, fresh_value_name(name + "_inner"));
  }
  value_names_.erase(name);  // a value of another branch may still have it: the two never meet
}

void Rewriter::rename(Value& value, const std::string& name) {
  if (value.name_ == name) return;
  release_name(name, *value.scope_);
  relabel(value, name);
}

void Rewriter::rename(Node& node, const std::string& name) {
  node_names_.try_emplace(name, kFirstNumber);
  node.proto_->set_name(name);
}

void Rewriter::relabel(Value& value, const std::string& name) {
  const std::string old = value.name_;
  Scope& scope = *value.scope_;
  scope.values_.erase(old);
  scope.values_.emplace(name, &value);
  value_names_.try_emplace(name, kFirstNumber);
  value.name_ = name;
  if (value.tensor_ != nullptr) value.tensor_->set_name(name);
  if (value.sparse_values_ != nullptr) value.sparse_values_->set_name(name);
  if (value.producer_ != nullptr) value.producer_->proto_->set_output(static_cast<int>(value.output_index_), name);
  for (auto* info : value.declarations_) info->set_name(name);
  for (const auto& [node, input] : value.uses_) node->proto_->set_input(static_cast<int>(input), name);
  for (const auto& [place, position] : value.output_places_) {
    name_output(place->graph_, place->function_, position, name);
  }
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

// Building. ----------------------------------------------------------------------------------------------------------

void Rewriter::import_domain(const std::string& domain, std::int64_t version) {
  for (auto& opset : *model_.proto().mutable_opset_import()) {
    if (opset.domain() == domain) return opset.set_version(version);
  }
  auto& opset = *model_.proto().add_opset_import();
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
  fill(*value.tensor_, tensor);
  value.type_ = {tensor.element_type, tensor.shape};
  scope.initializers_.push_back(&value);
  return value;
}

Value& Rewriter::add_initializer_view(std::string_view name, const TensorBytes& tensor,
                                      std::shared_ptr<const void> owner) {
  const std::string location = model_.keep_view({tensor.bytes, std::move(owner)});
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
  scope.function_ = model_.proto().add_functions();
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

void Rewriter::set_type(Value& value, const ValueType& type) {
  value.type_ = type;
  if (!type.element_type) forget_declaration(value);
  for (auto* info : value.declarations_) write_type(*info, type);
  bool is_declared = !value.declarations_.empty() || value.is_initializer();
  for (const auto& [place, position] : value.output_places_) {
    if (place->graph_ == nullptr) continue;
    write_type(*place->graph_->mutable_output(static_cast<int>(position)), type);
    is_declared = true;
  }
  if (is_declared || value.scope_->graph_ == nullptr || !type.element_type) return;
  auto& info = *value.scope_->graph_->add_value_info();
  info.set_name(value.name_);
  write_type(info, type);
  value.declarations_.push_back(&info);
}

void Rewriter::set_dimension_names(Value& value, const std::vector<std::string>& names) {
  const auto write = [&](onnx::ValueInfoProto& info) {
    auto& dimensions = *info.mutable_type()->mutable_tensor_type()->mutable_shape()->mutable_dim();
    for (int i = 0; i < dimensions.size() && static_cast<std::size_t>(i) < names.size(); ++i) {
      if (!dimensions.Get(i).has_dim_value()) dimensions.Mutable(i)->set_dim_param(names[static_cast<std::size_t>(i)]);
    }
  };
  for (auto* info : value.declarations_) write(*info);
  for (const auto& [place, position] : value.output_places_) {
    if (place->graph_ != nullptr) write(*place->graph_->mutable_output(static_cast<int>(position)));
  }
}

// Rewriting. ---------------------------------------------------------------------------------------------------------

void Rewriter::drop_use(Value* value, const Node& node, std::size_t input) {
  if (value == nullptr) return;
  std::erase_if(value->uses_, [&](const Use& use) { return use.node == &node && use.input == input; });
}

void Rewriter::set_input(Node& node, std::size_t input, Value* value) {
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
  name_output(scope.graph_, scope.function_, position, value.name_);
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

Node& Rewriter::insert_taking_name(Value& value, const std::string& op_type, std::string_view inner_name,
                                   const Attributes& attributes, const std::vector<Value*>& further) {
  const std::string name = value.name_;
  const ValueType type = value.type_;
  const auto places = value.output_places_;
  relabel(value, fresh_value_name(inner_name));
  forget_declaration(value);
  value_names_.erase(name);
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
  fill(*value.tensor_, tensor);
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
  auto& model = model_.proto();
  if (model.ir_version() < kIrWithFreeInitializers) model.set_ir_version(kIrWithFreeInitializers);
}

// Types of the past. -------------------------------------------------------------------------------------------------

/// What the list of inner types says of a value no longer holds; what its graph's inputs say does.
void Rewriter::forget_declaration(Value& value) {
  if (value.is_input_) return;
  for (const auto* info : value.declarations_) forgotten_.insert(info);
  value.declarations_.clear();
}

void Rewriter::set_dimension_sizes(const std::map<std::string, std::int64_t>& sizes) {
  for (std::size_t i = 0; i < main_->outputs_.size(); ++i) {
    auto& output = *main_->graph_->mutable_output(static_cast<int>(i));
    if (!output.type().has_tensor_type() || !output.type().tensor_type().has_shape()) continue;
    for (auto& dimension : *output.mutable_type()->mutable_tensor_type()->mutable_shape()->mutable_dim()) {
      const auto known = dimension.has_dim_param() ? sizes.find(dimension.dim_param()) : sizes.end();
      if (known == sizes.end()) continue;
      dimension.clear_dim_param();
      if (known->second >= 0) dimension.set_dim_value(known->second);
    }
    if (!main_->outputs_[i]->is_input_) main_->outputs_[i]->type_ = type_of(output);
  }
}

void Rewriter::forget_inner_types() {
  for (Value& value : values_) {
    if (value.is_input_ && value.scope_ == main_) {
      // An input may be listed among the inner types as well.
      while (value.declarations_.size() > 1) {
        forgotten_.insert(value.declarations_.back());
        value.declarations_.pop_back();
      }
      continue;
    }
    if (value.is_input_) continue;
    for (const auto* info : value.declarations_) forgotten_.insert(info);
    value.declarations_.clear();
    if (!value.is_initializer() && !value.is_output()) value.type_ = {};
  }
}

void Rewriter::drop_forgotten(Scope& scope) {
  auto& infos = scope.graph_ != nullptr ? *scope.graph_->mutable_value_info() : *scope.function_->mutable_value_info();
  std::vector<onnx::ValueInfoProto*> all(static_cast<std::size_t>(infos.size()));
  infos.ExtractSubrange(0, infos.size(), all.data());
  for (auto* info : all) {
    if (forgotten_.contains(info)) {
      delete info;
    } else {
      infos.AddAllocated(info);
    }
  }
}

void Rewriter::drop_removed(Scope& scope) {
  auto& protos = scope.graph_ != nullptr ? *scope.graph_->mutable_node() : *scope.function_->mutable_node();
  if (static_cast<std::size_t>(protos.size()) == scope.nodes_.size()) return;
  std::set<const onnx::NodeProto*> kept;
  for (const Node* node : scope.nodes_) kept.insert(node->proto_);
  std::vector<onnx::NodeProto*> all(static_cast<std::size_t>(protos.size()));
  protos.ExtractSubrange(0, protos.size(), all.data());
  for (auto* proto : all) {
    if (kept.contains(proto)) {
      protos.AddAllocated(proto);
    } else {
      delete proto;
    }
  }
}

// Order. -------------------------------------------------------------------------------------------------------------

namespace {

/// The values that a node reads, also in its inner graphs.
void collect_reads(const Node& node, std::vector<const Value*>& reads) {
  for (const Value* input : node.inputs()) {
    if (input != nullptr) reads.push_back(input);
  }
  for (const Scope* inner : node.inner_graphs()) {
    for (const Value* output : inner->outputs()) reads.push_back(output);
    for (const Node* within : inner->nodes()) collect_reads(*within, reads);
  }
}

}  // namespace

/// Emits the nodes in the order they have, each after the producers that are still missing. Where nodes wait for each
/// other in a circle the order is left as it comes: ONNX Runtime will say so.
void Rewriter::sort(Scope& scope) {
  struct Visit {
    Node* node;
    std::vector<const Value*> reads;
    std::size_t next;
  };
  std::vector<Node*> sorted;
  std::set<const Node*> seen;
  std::vector<Visit> stack;
  const auto enter = [&](Node* node) {
    if (!seen.insert(node).second) return;
    stack.push_back({node, {}, 0});
    collect_reads(*node, stack.back().reads);
  };
  for (Node* first : scope.nodes_) {
    enter(first);
    while (!stack.empty()) {
      Visit& visit = stack.back();
      if (visit.next == visit.reads.size()) {
        sorted.push_back(visit.node);
        stack.pop_back();
        continue;
      }
      Node* const producer = visit.reads[visit.next++]->producer();
      if (producer != nullptr && &producer->scope() == &scope) enter(producer);
    }
  }
  auto& protos = scope.graph_ != nullptr ? *scope.graph_->mutable_node() : *scope.function_->mutable_node();
  std::set<onnx::NodeProto*> rest;
  std::vector<onnx::NodeProto*> all(static_cast<std::size_t>(protos.size()));
  protos.ExtractSubrange(0, protos.size(), all.data());
  rest.insert(all.begin(), all.end());
  for (const Node* node : sorted) {
    protos.AddAllocated(node->proto_);
    rest.erase(node->proto_);
  }
  for (auto* removed : rest) delete removed;
  scope.nodes_ = std::move(sorted);
}

}  // namespace slipway::compile::onnx_graph
