#pragma once

#include "compile/onnx_graph/model.hpp"

namespace slipway::compile::onnx_graph {

/// Turns Constant nodes of the main graph into initialisers, and takes initialisers out of the graph inputs, where they
/// would be defaults that a caller may override. Compilers and quantisers treat only real constants as constant.
/// The string and sparse forms stay as they are, and so do constants that are graph outputs.
/// @return  how many nodes were turned
int fold_constant_nodes(Model& model);

/// Turns what the main graph computes from fixed sizes (the Shape of a value, its elements, arithmetic with them) into
/// initialisers, and takes out what nothing reads any more because of it.
/// @return  how many nodes were turned
int fold_known_sizes(Model& model);

}  // namespace slipway::compile::onnx_graph
