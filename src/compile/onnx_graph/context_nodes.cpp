#include "compile/onnx_graph/context_nodes.hpp"

#include <onnx.pb.h>

#include "compile/onnx_graph/rewriter.hpp"

namespace slipway::compile::onnx_graph {

std::vector<ContextNode> context_nodes(const Model& model) {
  std::vector<ContextNode> nodes;
  for (const auto& node : model.proto().graph().node()) {
    if (node.op_type() != "EPContext") continue;
    ContextNode found;
    const std::string* context = nullptr;
    for (const auto& attribute : node.attribute()) {
      if (attribute.name() == "partition_name") found.graph_name = attribute.s();
      if (attribute.name() == "ep_sdk_version") found.sdk_version = attribute.s();
      if (attribute.name() == "embed_mode") found.is_embedded = attribute.i() != 0;
      if (attribute.name() == "ep_cache_context") context = &attribute.s();
    }
    if (!found.is_embedded && context != nullptr) found.file = *context;
    nodes.push_back(std::move(found));
  }
  return nodes;
}

void set_context_file(Model& model, const std::string& file) {
  Rewriter rewriter(model);
  for (Node* node : rewriter.main().nodes()) {
    const bool names_file = node->integer("embed_mode").value_or(1) == 0 && node->has_attribute("ep_cache_context");
    if (node->op_type() == "EPContext" && names_file) node->set_attribute("ep_cache_context", file);
  }
}

}  // namespace slipway::compile::onnx_graph
