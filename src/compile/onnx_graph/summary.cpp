#include <algorithm>
#include <map>
#include <set>

#include <onnx.pb.h>

#include "compile/onnx_graph/check.hpp"
#include "compile/onnx_graph/element_type.hpp"
#include "compile/onnx_graph/model.hpp"
#include "compile/onnx_graph/tensors.hpp"
#include "compile/onnx_graph/values.hpp"

namespace slipway::compile::onnx_graph {
namespace {

std::string type_in_words(const onnx::TypeProto& type) {
  switch (type.value_case()) {
    case onnx::TypeProto::kTensorType:
      return fmt::format("tensor of {}", element_type_name(type.tensor_type().elem_type()));
    case onnx::TypeProto::kSequenceType:
      return fmt::format("sequence of {}", type_in_words(type.sequence_type().elem_type()));
    case onnx::TypeProto::kMapType:
      return "map";
    case onnx::TypeProto::kOptionalType:
      return fmt::format("optional {}", type_in_words(type.optional_type().elem_type()));
    case onnx::TypeProto::kSparseTensorType:
      return "sparse tensor";
    default:
      return "no type";
  }
}

/// The quantisation of a value whose only meaning is "quantised": an input that is dequantised at once, or an output
/// that was just quantised, per tensor and with constant parameters.
class BoundaryQuantization {
 public:
  explicit BoundaryQuantization(const onnx::GraphProto& graph) {
    for (const auto& tensor : graph.initializer()) initializers_[tensor.name()] = &tensor;
    for (const auto& node : graph.node()) {
      for (const auto& name : node.input()) consumers_[name].push_back(&node);
      for (const auto& name : node.output()) producers_[name] = &node;
    }
  }

  [[nodiscard]] std::optional<tensor::Quantization> of_input(const std::string& name) const {
    const auto found = consumers_.find(name);
    if (found == consumers_.end() || found->second.size() != 1) return std::nullopt;
    const onnx::NodeProto& node = *found->second.front();
    return node.op_type() == "DequantizeLinear" && node.input(0) == name ? parameters_of(node) : std::nullopt;
  }

  [[nodiscard]] std::optional<tensor::Quantization> of_output(const std::string& name) const {
    const auto found = producers_.find(name);
    if (found == producers_.end() || found->second->op_type() != "QuantizeLinear") return std::nullopt;
    return parameters_of(*found->second);
  }

 private:
  [[nodiscard]] std::optional<tensor::Quantization> parameters_of(const onnx::NodeProto& node) const {
    if (node.input_size() < 2) return std::nullopt;
    const auto scale = scalar(node.input(1));
    if (!scale) return std::nullopt;
    tensor::Quantization quantization{.scale = static_cast<float>(*scale), .zero_point = 0};
    if (node.input_size() > 2 && !node.input(2).empty()) {
      const auto zero_point = scalar(node.input(2));
      if (!zero_point) return std::nullopt;
      quantization.zero_point = static_cast<std::int64_t>(*zero_point);
    }
    return quantization;
  }

  [[nodiscard]] std::optional<double> scalar(const std::string& name) const {
    const auto found = initializers_.find(name);
    return found == initializers_.end() ? std::nullopt : scalar_value(*found->second);
  }

  std::map<std::string, const onnx::TensorProto*> initializers_;
  std::map<std::string, std::vector<const onnx::NodeProto*>> consumers_;
  std::map<std::string, const onnx::NodeProto*> producers_;
};

bool may_be_quantized(tensor::Dtype dtype) {
  using enum tensor::Dtype;
  return dtype == kInt8 || dtype == kUint8 || dtype == kInt16 || dtype == kUint16;
}

bool has_no_type(const onnx::ValueInfoProto& value) {
  const auto& type = value.type();
  if (type.has_tensor_type()) return type.tensor_type().elem_type() == onnx::TensorProto::UNDEFINED;
  return type.value_case() == onnx::TypeProto::VALUE_NOT_SET;
}

void describe_inputs_and_outputs(const onnx::GraphProto& graph, ModelSummary& summary) {
  const BoundaryQuantization quantization(graph);
  for (const auto* input : inputs_without_initializers(graph)) {
    if (auto spec = spec_of(*input)) {
      if (may_be_quantized(spec->dtype)) spec->quantization = quantization.of_input(spec->name);
      summary.inputs.push_back(std::move(*spec));
    } else {
      summary.inputs_of_other_types.push_back(fmt::format("{}: {}", input->name(), type_in_words(input->type())));
    }
  }
  for (const auto& output : graph.output()) {
    if (auto spec = spec_of(output)) {
      if (may_be_quantized(spec->dtype)) spec->quantization = quantization.of_output(spec->name);
      summary.outputs.push_back(std::move(*spec));
    } else if (has_no_type(output)) {
      summary.outputs_of_unknown_type.push_back(output.name());
    } else {
      summary.outputs_of_other_types.push_back(fmt::format("{}: {}", output.name(), type_in_words(output.type())));
    }
  }
}

}  // namespace

ModelSummary Model::summary() const {
  const onnx::ModelProto& model = *proto_;
  ModelSummary summary;
  summary.ir_version = model.ir_version();
  for (const auto& opset : model.opset_import()) summary.opsets.emplace_back(opset.domain(), opset.version());
  summary.producer = model.producer_name();
  if (!model.producer_version().empty()) summary.producer += " " + model.producer_version();
  summary.graph_name = model.graph().name();
  describe_inputs_and_outputs(model.graph(), summary);

  std::map<std::string, int> counts;
  for_each_node(model, [&](const onnx::NodeProto& node) {
    ++counts[node.op_type()];
    summary.has_qdq |= node.op_type() == "QuantizeLinear" || node.op_type() == "DequantizeLinear";
    summary.has_ep_context |= node.op_type() == "EPContext";
  });
  summary.op_counts.assign(counts.begin(), counts.end());
  std::stable_sort(summary.op_counts.begin(), summary.op_counts.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });

  for (const auto& tensor : model.graph().initializer()) {
    std::int64_t count = 1;
    for (const std::int64_t size : tensor.dims()) count *= size;  // checked against overflow when it was read
    summary.parameter_count += count;
    summary.weight_bytes += tensor_size_bytes(tensor).value_or(0);
  }
  // Checked when it was read; a file that vanished since is no longer listed.
  if (auto files = check_model(*this)) summary.external_files = std::move(*files);
  return summary;
}

}  // namespace slipway::compile::onnx_graph
