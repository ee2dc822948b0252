#include "apps/cli/border_quantization.hpp"

#include "compile/onnx_graph/model.hpp"

namespace slipway::cli {

std::map<std::string, tensor::Quantization> border_quantization(const std::filesystem::path& model) {
  std::map<std::string, tensor::Quantization> quantization;
  if (const auto graph = compile::onnx_graph::Model::read(model)) {
    const auto summary = graph->summary();
    for (const auto* specs : {&summary.inputs, &summary.outputs}) {
      for (const tensor::TensorSpec& spec : *specs) {
        if (spec.quantization) quantization[spec.name] = *spec.quantization;
      }
    }
  }
  return quantization;
}

}  // namespace slipway::cli
