#include "compile/onnx_graph/graph_edit.hpp"

#include <fmt/format.h>
#include <onnx.pb.h>

namespace slipway::compile::onnx_graph {
namespace {

/// Whether a subgraph has a value of its own by this name, so that an outer one cannot be meant.
bool defines(const onnx::GraphProto& graph, const std::string& name) {
  for (const auto& input : graph.input()) {
    if (input.name() == name) return true;
  }
  for (const auto& tensor : graph.initializer()) {
    if (tensor.name() == name) return true;
  }
  for (const auto& node : graph.node()) {
    for (const auto& output : node.output()) {
      if (output == name) return true;
    }
  }
  return false;
}

void redirect_in_subgraph(onnx::GraphProto& graph, const std::string& from, const std::string& to) {
  if (defines(graph, from)) return;
  for (auto& output : *graph.mutable_output()) {
    if (output.name() == from) output.set_name(to);
  }
  redirect_uses(graph, from, to);
}

onnx::NodeProto make_node(std::string_view op_type, const std::string& input, const std::string& output) {
  onnx::NodeProto node;
  node.set_op_type(std::string(op_type));
  node.set_name(fmt::format("{}/{}", output, op_type));
  node.add_input(input);
  node.add_output(output);
  return node;
}

}  // namespace

ValueNames::ValueNames(const onnx::GraphProto& graph) {
  add(graph);
}

void ValueNames::add(const onnx::GraphProto& graph) {
  for (const auto& input : graph.input()) names_.insert(input.name());
  for (const auto& output : graph.output()) names_.insert(output.name());
  for (const auto& tensor : graph.initializer()) names_.insert(tensor.name());
  for (const auto& sparse : graph.sparse_initializer()) names_.insert(sparse.values().name());
  for (const auto& node : graph.node()) {
    names_.insert(node.input().begin(), node.input().end());
    names_.insert(node.output().begin(), node.output().end());
    for (const auto& attribute : node.attribute()) {
      if (attribute.has_g()) add(attribute.g());
      for (const auto& subgraph : attribute.graphs()) add(subgraph);
    }
  }
}

std::string ValueNames::fresh(std::string_view wanted) {
  std::string name(wanted);
  for (int i = 2; !names_.insert(name).second; ++i) name = fmt::format("{}_{}", wanted, i);
  return name;
}

void redirect_uses(onnx::GraphProto& graph, const std::string& from, const std::string& to) {
  for (auto& node : *graph.mutable_node()) {
    for (auto& input : *node.mutable_input()) {
      if (input == from) input = to;
    }
    for (auto& attribute : *node.mutable_attribute()) {
      if (attribute.has_g()) redirect_in_subgraph(*attribute.mutable_g(), from, to);
      for (auto& subgraph : *attribute.mutable_graphs()) redirect_in_subgraph(subgraph, from, to);
    }
  }
}

bool rename_product(onnx::GraphProto& graph, const std::string& from, const std::string& to) {
  bool found = false;
  for (auto& node : *graph.mutable_node()) {
    for (auto& output : *node.mutable_output()) {
      if (output != from) continue;
      output = to;
      found = true;
    }
  }
  return found;
}

void rename_value(onnx::GraphProto& graph, const std::string& from, const std::string& to) {
  rename_product(graph, from, to);
  redirect_uses(graph, from, to);
  for (auto& input : *graph.mutable_input()) {
    if (input.name() == from) input.set_name(to);
  }
  for (auto& output : *graph.mutable_output()) {
    if (output.name() == from) output.set_name(to);
  }
  for (auto& tensor : *graph.mutable_initializer()) {
    if (tensor.name() == from) tensor.set_name(to);
  }
  for (auto& sparse : *graph.mutable_sparse_initializer()) {
    if (sparse.values().name() == from) sparse.mutable_values()->set_name(to);
  }
  for (auto& value : *graph.mutable_value_info()) {
    if (value.name() == from) value.set_name(to);
  }
  for (auto& annotation : *graph.mutable_quantization_annotation()) {
    if (annotation.tensor_name() == from) annotation.set_tensor_name(to);
    for (auto& parameter : *annotation.mutable_quant_parameter_tensor_names()) {
      if (parameter.value() == from) parameter.set_value(to);
    }
  }
}

void put_first(onnx::GraphProto& graph, onnx::NodeProto node) {
  *graph.add_node() = std::move(node);
  for (int i = graph.node_size() - 1; i > 0; --i) graph.mutable_node()->SwapElements(i, i - 1);
}

void clear_value_info(onnx::GraphProto& graph) {
  graph.clear_value_info();
  for (auto& node : *graph.mutable_node()) {
    for (auto& attribute : *node.mutable_attribute()) {
      if (attribute.has_g()) clear_value_info(*attribute.mutable_g());
      for (auto& subgraph : *attribute.mutable_graphs()) clear_value_info(subgraph);
    }
  }
}

void drop_value_info(onnx::GraphProto& graph, const std::string& name) {
  auto& values = *graph.mutable_value_info();
  for (int i = values.size() - 1; i >= 0; --i) {
    if (values.Get(i).name() == name) values.DeleteSubrange(i, 1);
  }
}

onnx::NodeProto make_cast(const std::string& input, const std::string& output, int element_type) {
  auto node = make_node("Cast", input, output);
  auto* attribute = node.add_attribute();
  attribute->set_name("to");
  attribute->set_type(onnx::AttributeProto::INT);
  attribute->set_i(element_type);
  return node;
}

onnx::NodeProto make_transpose(const std::string& input, const std::string& output,
                               const std::vector<std::int64_t>& permutation) {
  auto node = make_node("Transpose", input, output);
  auto* attribute = node.add_attribute();
  attribute->set_name("perm");
  attribute->set_type(onnx::AttributeProto::INTS);
  for (const std::int64_t axis : permutation) attribute->add_ints(axis);
  return node;
}

onnx::NodeProto make_identity(const std::string& input, const std::string& output) {
  return make_node("Identity", input, output);
}

}  // namespace slipway::compile::onnx_graph
