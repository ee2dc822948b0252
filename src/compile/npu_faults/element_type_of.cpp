#include "compile/npu_faults/element_type_of.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "compile/onnx_graph/element_type.hpp"

namespace slipway::compile::npu_faults {
namespace {

/// Operators that move elements and leave their type.
constexpr std::array<std::string_view, 24> kMoving = {
    "Clip",         "Concat", "DepthToSpace", "Expand", "Flatten",   "Gather",  "GatherElements", "GatherND",
    "Identity",     "Max",    "MaxPool",      "Min",    "Pad",       "Reshape", "Resize",         "Slice",
    "SpaceToDepth", "Split",  "Squeeze",      "Tile",   "Transpose", "Trilu",   "Unsqueeze",      "Upsample"};

bool moves_elements(const onnx_graph::Node& node) {
  return node.is_standard() && std::ranges::find(kMoving, node.op_type()) != kMoving.end();
}

}  // namespace

std::optional<int> element_type_of(const onnx_graph::Value* value) {
  while (value != nullptr) {
    if (value->type().element_type) return value->type().element_type;
    const onnx_graph::Node* producer = value->producer();
    if (producer == nullptr) return std::nullopt;
    if (producer->is("Cast")) {
      const auto to = producer->integer("to");
      return to ? std::optional(static_cast<int>(*to)) : std::nullopt;
    }
    if (producer->is("Shape") || producer->is("Size") || producer->is("ArgMax") || producer->is("NonZero")) {
      return onnx_graph::element_type_of_dtype(tensor::Dtype::kInt64);
    }
    const bool is_second_of_top_k = producer->is("TopK") && value->output_index() == 1;
    if (is_second_of_top_k) return onnx_graph::element_type_of_dtype(tensor::Dtype::kInt64);
    if (producer->is("Where")) {
      value = producer->input(1);
    } else if (producer->is("QuantizeLinear")) {
      value = producer->input(2);
    } else if (moves_elements(*producer)) {
      value = producer->input(0);
    } else {
      return std::nullopt;
    }
  }
  return std::nullopt;
}

}  // namespace slipway::compile::npu_faults
