#include "compile/onnx_graph/graph.hpp"

#include <onnx.pb.h>

#include "compile/onnx_graph/element_type.hpp"
#include "compile/onnx_graph/values.hpp"

namespace slipway::compile::onnx_graph {
namespace {

const onnx::AttributeProto* find_attribute(const onnx::NodeProto& node, std::string_view name) {
  for (const auto& attribute : node.attribute()) {
    if (attribute.name() == name) return &attribute;
  }
  return nullptr;
}

}  // namespace

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
    if (attribute.name() == name) return write_attribute(attribute, value);
  }
  auto& attribute = *proto_->add_attribute();
  attribute.set_name(name);
  write_attribute(attribute, value);
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

void Scope::name_output(std::size_t position, const std::string& name) {
  if (graph_ != nullptr) {
    graph_->mutable_output(static_cast<int>(position))->set_name(name);
  } else {
    function_->set_output(static_cast<int>(position), name);
  }
}

}  // namespace slipway::compile::onnx_graph
