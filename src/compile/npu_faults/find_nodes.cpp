#include "compile/npu_faults/find_nodes.hpp"

namespace slipway::compile::npu_faults {

std::vector<onnx_graph::Node*> find_nodes(onnx_graph::Rewriter& graph, std::string_view op_type) {
  std::vector<onnx_graph::Node*> found;
  for (const onnx_graph::Scope* scope : graph.scopes()) {
    const onnx_graph::Scope* outermost = scope;
    while (outermost->outer() != nullptr) outermost = outermost->outer();
    if (outermost->is_function()) continue;
    for (onnx_graph::Node* node : scope->nodes()) {
      // One without its data or its result is no model's: whoever loads it says so.
      if (node->is(op_type) && node->input(0) != nullptr && node->output(0) != nullptr) found.push_back(node);
    }
  }
  return found;
}

}  // namespace slipway::compile::npu_faults
