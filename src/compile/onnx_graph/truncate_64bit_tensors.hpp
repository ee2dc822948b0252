#pragma once

#include "base/error.hpp"
#include "compile/onnx_graph/model.hpp"

namespace slipway::compile::onnx_graph {

/// Makes inner int64 tensors int32 wherever the operators that make and use them have a 32-bit form: arithmetic,
/// comparison, gathering, layout. Where an operator insists on int64 (a Reshape's shape, TopK's indices) a Cast stands
/// at the border, so the graph stays valid. Constants that do not fit into 32 bits keep their type, and so does what is
/// computed from them. Inputs and outputs keep theirs: that is truncate_64bit_io(). Subgraphs are left alone.
/// @return  how many nodes were turned to 32 bits
/// @error kInvalidArgument: an opset older than 7
[[nodiscard]] base::Result<int> truncate_64bit_tensors(Model& model);

}  // namespace slipway::compile::onnx_graph
