#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "compile/onnx_graph/channel_last.hpp"
#include "compile/onnx_graph/fold_constant_nodes.hpp"
#include "compile/onnx_graph/input_specs.hpp"
#include "compile/onnx_graph/model.hpp"
#include "compile/onnx_graph/rename_outputs.hpp"
#include "compile/onnx_graph/rewriter.hpp"
#include "compile/onnx_graph/truncate_64bit_io.hpp"
#include "compile/onnx_graph/truncate_64bit_tensors.hpp"

/// Whatever the bytes: reading refuses or accepts, and every rewrite of what was accepted leaves a model that reading
/// accepts again.
namespace {

using namespace slipway::compile::onnx_graph;

void require(bool condition) {
  if (!condition) std::abort();
}

void rewrite(Model& model) {
  ModelSummary summary = model.summary();
  fold_constant_nodes(model);
  for (auto& input : summary.inputs) {
    input.name += "_renamed";
    for (auto& size : input.shape) size = size < 1 ? 1 : size;
  }
  static_cast<void>(apply_input_specs(model, summary.inputs));
  std::vector<std::string> outputs;
  {
    Rewriter graph(model);
    for (const auto* output : graph.main().outputs()) outputs.push_back(output->name() + "_renamed");
  }
  static_cast<void>(rename_outputs(model, outputs));
  static_cast<void>(truncate_64bit_io(model));
  static_cast<void>(truncate_64bit_tensors(model));
  summary = model.summary();
  if (!summary.inputs.empty()) static_cast<void>(channel_last_inputs(model, {summary.inputs[0].name}));
  if (!summary.outputs.empty()) static_cast<void>(channel_last_outputs(model, {summary.outputs[0].name}));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  auto model = Model::parse(text, "/nonexistent");
  if (!model) return 0;
  rewrite(*model);
  require(Model::parse(model->bytes(), "/nonexistent").has_value());
  return 0;
}
