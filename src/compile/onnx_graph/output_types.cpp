#include "compile/onnx_graph/output_types.hpp"

#include "compile/onnx_graph/element_type.hpp"
#include "compile/onnx_graph/rewriter.hpp"

namespace slipway::compile::onnx_graph {

void complete_output_types(Model& model, const std::vector<tensor::TensorSpec>& inferred) {
  Rewriter rewriter(model);
  for (Value* output : rewriter.main().outputs()) {
    for (const auto& spec : inferred) {
      if (spec.name != output->name()) continue;
      ValueType type = output->type();
      if (!type.element_type) type.element_type = element_type_of_dtype(spec.dtype);
      if (type.element_type != element_type_of_dtype(spec.dtype)) continue;
      if (!type.shape && spec.has_rank) type.shape = spec.shape;
      const bool same_rank = spec.has_rank && type.shape && type.shape->size() == spec.shape.size();
      for (std::size_t i = 0; same_rank && i < spec.shape.size(); ++i) {
        if ((*type.shape)[i] < 0) (*type.shape)[i] = spec.shape[i];
      }
      if (type != output->type()) rewriter.set_type(*output, type);
    }
  }
}

}  // namespace slipway::compile::onnx_graph
