#include "compile/onnx_graph/node_names.hpp"

#include "compile/onnx_graph/rewriter.hpp"

namespace slipway::compile::onnx_graph {

std::map<std::string, std::string> name_nodes(Model& model) {
  Rewriter rewriter(model);
  std::map<std::string, std::string> places;
  int position = -1;
  for (Node* node : rewriter.main().nodes()) {
    ++position;
    if (!node->name().empty()) continue;
    const std::string name = rewriter.fresh_node_name(fmt::format("{}_{}", node->op_type(), position));
    const Value* const output = node->output(0);
    places[name] = fmt::format("node {} ({}{})", position, node->op_type(),
                               output == nullptr ? "" : fmt::format(", output '{}'", output->name()));
    rewriter.rename(*node, name);
  }
  return places;
}

}  // namespace slipway::compile::onnx_graph
