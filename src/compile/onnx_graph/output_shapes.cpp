#include "compile/onnx_graph/output_shapes.hpp"

#include <onnx.pb.h>

#include "compile/onnx_graph/values.hpp"

namespace slipway::compile::onnx_graph {

void complete_output_shapes(Model& model, const std::vector<tensor::TensorSpec>& inferred) {
  for (auto& output : *model.proto().mutable_graph()->mutable_output()) {
    const auto own = spec_of(output);
    if (!own) continue;
    for (const auto& spec : inferred) {
      if (spec.name != output.name() || spec.dtype != own->dtype) continue;
      tensor::Shape shape = has_shape(output) ? own->shape : spec.shape;
      if (shape.size() != spec.shape.size()) continue;
      for (std::size_t i = 0; i < shape.size(); ++i) {
        if (shape[i] < 0) shape[i] = spec.shape[i];
      }
      if (shape != own->shape || !has_shape(output)) set_type(output, own->dtype, shape);
    }
  }
}

}  // namespace slipway::compile::onnx_graph
