#pragma once

#include <optional>
#include <vector>

#include "compile/onnx_graph/model.hpp"

namespace slipway::compile::onnx_graph {

/// The values that an input may take, both ends included.
struct InputRange {
  double lowest = 0, highest = 0;
};

/// For each of the model's inputs what those who read it allow, or nothing when none of them says:
/// - an index (Gather, OneHot, an embedding …) reaches from 0 to the last row of the table;
/// - what becomes a truth value, or is a mask ("1 - mask"), is 0 or 1;
/// - what is a number of elements (the shape of a Reshape, the repeats of a Tile …) is 1;
/// - what is quantised at once takes the range that its scale and zero point can hold.
/// Casts and changes of layout between the input and its reader are looked through. Where several readers say
/// something, the narrowest range counts.
[[nodiscard]] std::vector<std::optional<InputRange>> input_ranges(const Model& model);

}  // namespace slipway::compile::onnx_graph
