#pragma once

#include <cstdint>
#include <vector>

#include "compile/onnx_graph/rewriter.hpp"

namespace slipway::compile::npu_faults {

/// For each axis the places of the input that the output shows, in order.
using PlacesOfAxes = std::vector<std::vector<std::int64_t>>;

/// Puts one Gather for each axis whose places change in the place of a node that only moves elements of its first
/// input.
void replace_by_gathers(onnx_graph::Rewriter& graph, onnx_graph::Node& node, const PlacesOfAxes& places,
                        const tensor::Shape& input);

}  // namespace slipway::compile::npu_faults
