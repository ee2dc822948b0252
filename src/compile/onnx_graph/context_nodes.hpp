#pragma once

#include <string>
#include <vector>

#include "compile/onnx_graph/model.hpp"

namespace slipway::compile::onnx_graph {

/// A node that loads a compiled graph.
struct ContextNode {
  std::string graph_name;   ///< the graph's name inside the binary
  std::string sdk_version;  ///< "v2.50.40.260831140417", as the compiler wrote it
  bool is_embedded = true;
  std::string file;  ///< name of the binary when it is not embedded
};

/// The EPContext nodes of the main graph, in order.
[[nodiscard]] std::vector<ContextNode> context_nodes(const Model& model);

/// Makes the nodes that name a binary name another file. The file must lie beside the model before it is written.
void set_context_file(Model& model, const std::string& file);

}  // namespace slipway::compile::onnx_graph
