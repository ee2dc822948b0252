#include "compile/npu_faults/integer_constant.hpp"

#include "compile/onnx_graph/element_type.hpp"

namespace slipway::compile::npu_faults {

using onnx_graph::element_type_of_dtype;
using tensor::Dtype;

onnx_graph::Value& integer_constant(onnx_graph::Rewriter& graph, onnx_graph::Scope& scope, const std::string& name,
                                    int element_type, const std::vector<std::int64_t>& values) {
  const std::vector<std::int32_t> narrow(values.begin(), values.end());
  const bool is_wide = element_type == element_type_of_dtype(Dtype::kInt64);
  return graph.add_initializer(
      scope, name,
      {.element_type = element_type,
       .shape = values.size() == 1 ? tensor::Shape{} : tensor::Shape{static_cast<std::int64_t>(values.size())},
       .bytes = is_wide ? std::as_bytes(std::span(values)) : std::as_bytes(std::span(narrow))});
}

bool holds_integers(const onnx_graph::Value* value, const onnx_graph::InferredTypes& types) {
  if (value == nullptr) return false;
  const auto type = types.type(*value).element_type;
  return type == element_type_of_dtype(Dtype::kInt32) || type == element_type_of_dtype(Dtype::kInt64);
}

}  // namespace slipway::compile::npu_faults
