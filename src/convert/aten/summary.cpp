#include "convert/aten/summary.hpp"

#include <algorithm>
#include <map>

namespace slipway::convert::aten {
namespace {

std::optional<tensor::TensorSpec> spec_of(const Value& value, const std::string& name) {
  if (!value.meta) return std::nullopt;
  const auto dtype = dtype_of(value.meta->dtype);
  if (!dtype) return std::nullopt;
  tensor::TensorSpec spec{name, *dtype, {}, {}};
  for (const Dimension& dimension : value.meta->sizes) spec.shape.push_back(dimension.size.value_or(-1));
  return spec;
}

}  // namespace

GraphSummary summary_of(const Graph& graph) {
  GraphSummary summary;
  summary.producer = graph.producer;
  for (const GraphInput& input : graph.inputs) {
    tensor::TensorSpec unknown{
        .name = input.name, .dtype = tensor::Dtype::kFloat32, .shape = {}, .quantization = {}, .has_rank = false};
    summary.inputs.push_back(spec_of(graph.values[input.value], input.name).value_or(std::move(unknown)));
  }
  for (const GraphOutput& output : graph.outputs) {
    const auto* const reference = output.argument.get<Reference>();
    auto spec = reference == nullptr ? std::nullopt : spec_of(graph.values[reference->value], output.name);
    if (spec) {
      summary.outputs.push_back(std::move(*spec));
    } else {
      summary.outputs_of_unknown_type.push_back(output.name);
    }
  }
  std::map<std::string, int> counts;
  for (const Node& node : graph.nodes) ++counts[node.operator_name];
  summary.nodes = static_cast<int>(graph.nodes.size());
  summary.operators.assign(counts.begin(), counts.end());
  std::ranges::stable_sort(summary.operators, std::greater(), &std::pair<std::string, int>::second);
  for (const StoredValue& stored : graph.stored) {
    const auto count = tensor::element_count(stored.tensor.shape).value_or(0);
    if (stored.kind == StoredKind::kParameter) summary.parameter_count += count;
    summary.stored_bytes += static_cast<std::uint64_t>(count) * scalar_type_size_bytes(stored.tensor.dtype);
  }
  return summary;
}

}  // namespace slipway::convert::aten
