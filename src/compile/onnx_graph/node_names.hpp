#pragma once

#include <map>
#include <string>

#include "compile/onnx_graph/model.hpp"

namespace slipway::compile::onnx_graph {

/// Gives a name to each node of the main graph that has none, so that a provider's words about it can be understood.
/// @return new name -> place of the node, counted from 0 in the file's order: "node 12 (Resize, output 'y')"
[[nodiscard]] std::map<std::string, std::string> name_nodes(Model& model);

}  // namespace slipway::compile::onnx_graph
