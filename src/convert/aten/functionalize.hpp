#pragma once

#include "base/error.hpp"
#include "convert/aten/graph.hpp"

namespace slipway::convert::aten {

/// Rewrites a graph so that no value changes after it was made, as ONNX has it: an in-place operator becomes the one
/// that gives a new value, which later readers read; written to through a view, its base gets the new part by
/// select_scatter, slice_scatter and their like, and other views of it are taken anew. Nodes that nothing reads are
/// left out, so are those that only check.
/// @error kUnimplemented: a parameter or buffer is changed (it is named; an ONNX model keeps nothing between two runs),
///        a write through a view that has no inverse here, or one of which only strides would say whether it is a view
[[nodiscard]] base::Result<void> functionalize(Graph& graph);

}  // namespace slipway::convert::aten
