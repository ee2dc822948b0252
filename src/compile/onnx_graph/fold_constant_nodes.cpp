#include "compile/onnx_graph/fold_constant_nodes.hpp"

#include "compile/onnx_graph/rewriter.hpp"

namespace slipway::compile::onnx_graph {

int fold_constant_nodes(Model& model) {
  Rewriter rewriter(model);
  int folded = 0;
  const std::vector<Node*> nodes = rewriter.main().nodes();
  for (Node* node : nodes) folded += rewriter.replace_constant(*node) ? 1 : 0;
  const std::vector<Value*> initializers = rewriter.main().initializers();
  for (Value* initializer : initializers) rewriter.make_constant(*initializer);
  return folded;
}

}  // namespace slipway::compile::onnx_graph
