#include "compile/npu_faults/replace_node.hpp"

namespace slipway::compile::npu_faults {

using onnx_graph::Scope;
using onnx_graph::Value;

void replace_node(onnx_graph::Rewriter& graph, onnx_graph::Node& node, const std::string& op_type,
                  const std::vector<Value*>& inputs, const onnx_graph::Attributes& attributes) {
  Value& old = *node.output(0);
  Scope& scope = node.scope();
  const std::string name = old.name();
  Value& made = *graph.add_node(scope, op_type, inputs, {name}, attributes).output(0);
  graph.set_type(made, old.type());
  graph.redirect_uses(old, made);
  for (Scope* other : graph.scopes()) {
    for (std::size_t i = 0; i < other->outputs().size(); ++i) {
      if (other->outputs()[i] == &old) graph.set_output(*other, i, made);
    }
  }
  graph.remove(node);
  graph.rename(made, name);
}

}  // namespace slipway::compile::npu_faults
