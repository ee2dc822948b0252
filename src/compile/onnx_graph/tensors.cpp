#include "compile/onnx_graph/tensors.hpp"

#include <onnx.pb.h>

namespace slipway::compile::onnx_graph {
namespace {

using Tensors = std::vector<onnx::TensorProto*>;

// Protobuf refuses messages nested deeper than 100 levels, which bounds the recursion below.
void collect(onnx::GraphProto& graph, Tensors& found);

void collect(onnx::SparseTensorProto& sparse, Tensors& found) {
  if (sparse.has_values()) found.push_back(sparse.mutable_values());
  if (sparse.has_indices()) found.push_back(sparse.mutable_indices());
}

void collect(onnx::AttributeProto& attribute, Tensors& found) {
  if (attribute.has_t()) found.push_back(attribute.mutable_t());
  for (auto& tensor : *attribute.mutable_tensors()) found.push_back(&tensor);
  if (attribute.has_sparse_tensor()) collect(*attribute.mutable_sparse_tensor(), found);
  for (auto& sparse : *attribute.mutable_sparse_tensors()) collect(sparse, found);
  if (attribute.has_g()) collect(*attribute.mutable_g(), found);
  for (auto& graph : *attribute.mutable_graphs()) collect(graph, found);
}

void collect(onnx::GraphProto& graph, Tensors& found) {
  for (auto& tensor : *graph.mutable_initializer()) found.push_back(&tensor);
  for (auto& sparse : *graph.mutable_sparse_initializer()) collect(sparse, found);
  for (auto& node : *graph.mutable_node()) {
    for (auto& attribute : *node.mutable_attribute()) collect(attribute, found);
  }
}

}  // namespace

std::vector<onnx::TensorProto*> all_tensors(onnx::ModelProto& model) {
  Tensors found;
  if (model.has_graph()) collect(*model.mutable_graph(), found);
  for (auto& function : *model.mutable_functions()) {
    for (auto& attribute : *function.mutable_attribute_proto()) collect(attribute, found);
    for (auto& node : *function.mutable_node()) {
      for (auto& attribute : *node.mutable_attribute()) collect(attribute, found);
    }
  }
  for (auto& training : *model.mutable_training_info()) {
    if (training.has_initialization()) collect(*training.mutable_initialization(), found);
    if (training.has_algorithm()) collect(*training.mutable_algorithm(), found);
  }
  return found;
}

std::vector<const onnx::TensorProto*> all_tensors(const onnx::ModelProto& model) {
  // One walk for both: nothing is added or changed by it.
  const auto found = all_tensors(const_cast<onnx::ModelProto&>(model));
  return {found.begin(), found.end()};
}

void for_each_node(const onnx::GraphProto& graph, const std::function<void(const onnx::NodeProto&)>& visit) {
  for (const auto& node : graph.node()) {
    visit(node);
    for (const auto& attribute : node.attribute()) {
      if (attribute.has_g()) for_each_node(attribute.g(), visit);
      for (const auto& subgraph : attribute.graphs()) for_each_node(subgraph, visit);
    }
  }
}

void for_each_node(const onnx::ModelProto& model, const std::function<void(const onnx::NodeProto&)>& visit) {
  for_each_node(model.graph(), visit);
  for (const auto& function : model.functions()) {
    for (const auto& node : function.node()) {
      visit(node);
      for (const auto& attribute : node.attribute()) {
        if (attribute.has_g()) for_each_node(attribute.g(), visit);
        for (const auto& subgraph : attribute.graphs()) for_each_node(subgraph, visit);
      }
    }
  }
  for (const auto& training : model.training_info()) {
    for_each_node(training.initialization(), visit);
    for_each_node(training.algorithm(), visit);
  }
}

}  // namespace slipway::compile::onnx_graph
