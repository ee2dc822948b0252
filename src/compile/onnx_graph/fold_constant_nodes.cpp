#include "compile/onnx_graph/fold_constant_nodes.hpp"

#include <span>

#include "compile/onnx_graph/element_type.hpp"
#include "compile/onnx_graph/infer_types.hpp"
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

int fold_known_sizes(Model& model) {
  Rewriter rewriter(model);
  if (!rewriter.opset()) return 0;
  const InferredTypes inferred(rewriter);
  int folded = 0;
  const std::vector<Node*> nodes = rewriter.main().nodes();
  for (Node* node : nodes) {
    Value* const output = node->output(0);
    const auto elements = output == nullptr ? std::nullopt : inferred.integers(*output);
    if (!elements || node->is("Identity")) continue;
    const std::vector<Value*> inputs = node->inputs();
    const TensorBytes tensor{element_type_of_dtype(tensor::Dtype::kInt64), *inferred.type(*output).shape,
                             std::as_bytes(std::span(*elements))};
    if (!rewriter.replace_by_initializer(*node, tensor)) continue;
    ++folded;
    for (Value* input : inputs) {
      if (input != nullptr) rewriter.remove_if_unused(*input);
    }
  }
  return folded;
}

}  // namespace slipway::compile::onnx_graph
