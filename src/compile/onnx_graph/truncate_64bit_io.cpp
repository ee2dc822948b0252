#include "compile/onnx_graph/truncate_64bit_io.hpp"

#include "compile/onnx_graph/element_type.hpp"
#include "compile/onnx_graph/rewriter.hpp"

namespace slipway::compile::onnx_graph {
namespace {

using tensor::Dtype;

/// The 32-bit twin of a 64-bit integer type; nothing for all others.
std::optional<int> half_of(const ValueType& type) {
  if (type.element_type == element_type_of_dtype(Dtype::kInt64)) return element_type_of_dtype(Dtype::kInt32);
  if (type.element_type == element_type_of_dtype(Dtype::kUint64)) return element_type_of_dtype(Dtype::kUint32);
  return std::nullopt;
}

}  // namespace

base::Result<std::vector<std::string>> truncate_64bit_io(Model& model) {
  Rewriter rewriter(model);
  SLIPWAY_TRY(rewriter.opset());
  std::vector<std::string> changed;
  for (Value* input : rewriter.fed_inputs()) {
    const ValueType wide = input->type();
    const auto half = half_of(wide);
    if (!half) continue;
    const Node& cast = rewriter.insert_after(*input, "Cast", input->name() + "_64bit", {{"to", *wide.element_type}});
    rewriter.set_type(*cast.output(0), wide);
    rewriter.set_type(*input, {half, wide.shape});  // where it is handed through, the output is the narrow input itself
    changed.push_back(input->name());
  }
  const std::vector<Value*> outputs = rewriter.main().outputs();
  for (Value* output : outputs) {
    const ValueType wide = output->type();
    const auto half = half_of(wide);
    if (!half || !output->is_output()) continue;  // no longer an output: it stands in the list twice and was changed
    if (output->is_input()) rewriter.make_constant(*output);  // a default handed out: callers cannot feed it any more
    changed.push_back(output->name());
    const Node& cast = rewriter.insert_under_name(*output, "Cast", output->name() + "_64bit", {{"to", *half}});
    rewriter.set_type(*output, wide);
    rewriter.set_type(*cast.output(0), {half, wide.shape});
  }
  return changed;
}

}  // namespace slipway::compile::onnx_graph
