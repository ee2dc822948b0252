#pragma once

#include <functional>
#include <vector>

namespace onnx {
class GraphProto;
class ModelProto;
class NodeProto;
class TensorProto;
}  // namespace onnx

namespace slipway::compile::onnx_graph {

/// Every tensor a model carries: initialisers (dense and sparse) and attributes, in the graph, its subgraphs, local
/// functions and training parts. Pointers live as long as the model is not edited.
[[nodiscard]] std::vector<onnx::TensorProto*> all_tensors(onnx::ModelProto& model);
[[nodiscard]] std::vector<const onnx::TensorProto*> all_tensors(const onnx::ModelProto& model);

/// Calls `visit` for each node of the graph, its subgraphs, and of local functions and training parts.
void for_each_node(const onnx::ModelProto& model, const std::function<void(const onnx::NodeProto&)>& visit);
void for_each_node(const onnx::GraphProto& graph, const std::function<void(const onnx::NodeProto&)>& visit);

}  // namespace slipway::compile::onnx_graph
