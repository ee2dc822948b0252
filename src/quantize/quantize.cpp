#include "quantize/quantize.hpp"

#include <algorithm>
#include <cmath>

#include "quantize/bias_correction.hpp"
#include "quantize/calibrate.hpp"
#include "quantize/equalize_layers.hpp"
#include "quantize/fold_batch_normalization.hpp"

#include "compile/onnx_graph/fold_constant_nodes.hpp"
#include "compile/onnx_graph/infer_types.hpp"
#include "compile/onnx_graph/inline_data.hpp"
#include "compile/onnx_graph/node_names.hpp"

namespace slipway::quantize {
namespace {

using base::Code;
using base::fail;
using base::Result;
using compile::onnx_graph::InferredTypes;
using compile::onnx_graph::Model;
using compile::onnx_graph::Rewriter;

Result<void> check_source(const Model& model) {
  const auto summary = model.summary();
  if (summary.has_ep_context) {
    return fail(Code::kFailedPrecondition,
                "the model holds a compiled graph (an EPContext node); quantise the ONNX model it was made from");
  }
  if (summary.has_qdq) {
    return fail(
        Code::kFailedPrecondition,
        "the model is quantised already (it has QuantizeLinear or DequantizeLinear nodes): compile it as it is, "
        "or quantise the float model it was made from");
  }
  for (const auto& [operator_type, count] : summary.op_counts) {
    if (operator_type != "DynamicQuantizeLinear" && operator_type != "ConvInteger" &&
        operator_type != "MatMulInteger" && operator_type != "QLinearConv" && operator_type != "QLinearMatMul") {
      continue;
    }
    return fail(Code::kFailedPrecondition,
                "the model is quantised already (it has {} node(s)): quantise the float model it was made from",
                operator_type);
  }
  return {};
}

Result<void> check_weights(const Choice& choice) {
  for (const auto& chosen : choice.nodes) {
    for (const auto* const value : {weight_of(chosen), bias_of(chosen)}) {
      const auto numbers = value != nullptr ? value->floats() : std::nullopt;
      if (!numbers || std::ranges::all_of(*numbers, [](float number) { return std::isfinite(number); })) continue;
      return fail(Code::kInvalidArgument, "the weight '{}' of {} '{}' holds NaN or infinities", value->name(),
                  chosen.node->op_type(), chosen.node->name());
    }
  }
  return {};
}

/// Where the means of a value's channels are wanted: a weight reads them.
std::optional<std::size_t> channel_axis_of(const compile::onnx_graph::Value& value) {
  for (const auto& use : value.uses()) {
    if (use.input != 0) continue;
    if (const auto axis = input_channel_axis(*use.node)) return axis;
  }
  return std::nullopt;
}

/// What the graph layer knows how to simplify, so that constants are constants.
void prepare(Model& model) {
  static_cast<void>(compile::onnx_graph::name_nodes(model));
  static_cast<void>(compile::onnx_graph::fold_constant_nodes(model));
  static_cast<void>(compile::onnx_graph::fold_known_sizes(model));
}

}  // namespace

Result<Quantized> quantize(const std::shared_ptr<runtime::Environment>& environment, Model model,
                           const Samples& samples, const Options& options, const Progress& progress) {
  SLIPWAY_TRY(check_source(model));
  SLIPWAY_TRY(compile::onnx_graph::bring_data_inline(model));
  prepare(model);
  Quantized made{.model = std::move(model)};
  {
    Rewriter graph(made.model);
    if (options.folds_batch_normalization) made.folded_normalizations = fold_batch_normalization(graph);
    if (options.equalizes_layers) made.equalized_pairs = equalize_layers(graph);
  }
  {
    Rewriter graph(made.model);
    SLIPWAY_ASSIGN(const std::int64_t opset, graph.opset());
    const InferredTypes types(graph);
    SLIPWAY_ASSIGN(Choice choice, choose(graph, types, options));
    if (choice.nodes.empty()) {
      return fail(Code::kInvalidArgument, "no node of the model can be quantised: none computes with float32");
    }
    SLIPWAY_TRY(check_weights(choice));
    std::vector<Watched> watched;
    for (const auto* const value : choice.activations) {
      watched.push_back(
          {value->name(), types.type(*value), options.corrects_biases ? channel_axis_of(*value) : std::nullopt});
    }
    SLIPWAY_ASSIGN(const Calibration calibration,
                   calibrate(environment, made.model, watched, samples, options, progress));
    Encodings encodings = encode(choice, calibration, options);
    for (const auto* const list : {&choice.activations, &choice.constants}) {
      for (const auto* const value : *list) {
        if (const auto found = encodings.tensors.find(value); found != encodings.tensors.end()) {
          made.tensors.push_back(found->second);
        }
      }
    }
    for (const auto& [name, statistics] : calibration.tensors) {
      if (statistics.not_finite() == 0) continue;
      made.not_finite.push_back(fmt::format("{}: {}", name, statistics.not_finite()));
    }
    made.parameters = write_qdq(graph, choice, encodings, calibration, options, opset);
    made.without = std::move(encodings.without);
    made.parted_joins = std::move(encodings.parted_joins);
    made.needless_clips = static_cast<int>(encodings.needless_clips.size());
    made.float_nodes = std::move(choice.float_nodes);
    made.quantized_nodes = static_cast<int>(choice.nodes.size());
    made.samples = calibration.samples;
    made.left_out_samples = calibration.left_out;
  }
  return made;
}

}  // namespace slipway::quantize
