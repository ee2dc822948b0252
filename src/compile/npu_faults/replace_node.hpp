#pragma once

#include <string>
#include <vector>

#include "compile/onnx_graph/rewriter.hpp"

namespace slipway::compile::npu_faults {

/// Puts a standard operator in the place of a node of one output, which keeps its name, its type and its readers.
void replace_node(onnx_graph::Rewriter& graph, onnx_graph::Node& node, const std::string& op_type,
                  const std::vector<onnx_graph::Value*>& inputs, const onnx_graph::Attributes& attributes = {});

}  // namespace slipway::compile::npu_faults
