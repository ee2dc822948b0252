#pragma once

#include <string_view>
#include <vector>

#include "compile/onnx_graph/rewriter.hpp"

namespace slipway::compile::npu_faults {

/// The nodes of a standard operator in the main graph and in inner ones. Bodies of functions are left out: nothing says
/// the types in them.
[[nodiscard]] std::vector<onnx_graph::Node*> find_nodes(onnx_graph::Rewriter& graph, std::string_view op_type);

}  // namespace slipway::compile::npu_faults
