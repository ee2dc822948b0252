#include "compile/onnx_graph/channel_last.hpp"

#include <numeric>
#include <set>

#include <onnx.pb.h>

#include "compile/onnx_graph/graph_edit.hpp"
#include "compile/onnx_graph/values.hpp"

namespace slipway::compile::onnx_graph {
namespace {

using base::Code;
using base::fail;
using base::Result;

constexpr std::size_t kLowestRank = 3;
constexpr std::size_t kHighestRank = 5;

/// Axes in an order that puts the second one last: 0,2,3,1. Its inverse puts the last one second: 0,3,1,2.
std::vector<std::int64_t> to_channel_last(std::size_t rank) {
  std::vector<std::int64_t> axes(rank);
  std::iota(axes.begin() + 1, axes.end() - 1, 2);
  axes.back() = 1;
  return axes;
}
std::vector<std::int64_t> to_channel_first(std::size_t rank) {
  std::vector<std::int64_t> axes(rank);
  axes[1] = static_cast<std::int64_t>(rank) - 1;
  std::iota(axes.begin() + 2, axes.end(), 1);
  return axes;
}

Result<onnx::ValueInfoProto*> find(const std::vector<onnx::ValueInfoProto*>& values, const std::string& name,
                                   std::string_view kind) {
  std::string known;
  for (auto* value : values) {
    if (value->name() == name) return value;
    known += fmt::format("{}{}", known.empty() ? "" : ", ", value->name());
  }
  return fail(Code::kInvalidArgument, "channel last: no {} is named \"{}\"; the {}s are {}", kind, name, kind, known);
}

Result<tensor::TensorSpec> spec_with_channels(const onnx::ValueInfoProto& value, std::string_view kind) {
  const auto spec = spec_of(value);
  if (!spec || !has_shape(value)) {
    return fail(Code::kInvalidArgument, "channel last: the shape of {} \"{}\" is not known", kind, value.name());
  }
  if (spec->shape.size() < kLowestRank || spec->shape.size() > kHighestRank) {
    return fail(Code::kInvalidArgument, "channel last: expected {} \"{}\" to have 3 to 5 dimensions, found {}", kind,
                value.name(), tensor::to_string(spec->dtype, spec->shape));
  }
  return *spec;
}

Result<void> check_distinct(const std::vector<std::string>& names) {
  std::set<std::string> seen;
  for (const auto& name : names) {
    if (!seen.insert(name).second) return fail(Code::kInvalidArgument, "channel last: \"{}\" is named twice", name);
  }
  return {};
}

tensor::Shape reordered(const tensor::Shape& shape, const std::vector<std::int64_t>& axes) {
  tensor::Shape result;
  for (const std::int64_t axis : axes) result.push_back(shape[static_cast<std::size_t>(axis)]);
  return result;
}

}  // namespace

Result<void> channel_last_inputs(Model& model, const std::vector<std::string>& input_names) {
  if (input_names.empty()) return {};
  SLIPWAY_TRY(default_opset(model.proto()));
  SLIPWAY_TRY(check_distinct(input_names));
  auto& graph = *model.proto().mutable_graph();
  ValueNames names(graph);
  for (const auto& name : input_names) {
    SLIPWAY_ASSIGN(auto* const input, find(inputs_without_initializers(graph), name, "input"));
    SLIPWAY_ASSIGN(const auto spec, spec_with_channels(*input, "input"));
    for (const auto& output : graph.output()) {
      if (output.name() != name) continue;
      return fail(Code::kInvalidArgument, "channel last: input \"{}\" is handed through as an output", name);
    }
    const std::string channel_first = names.fresh(name + "_channel_first");
    redirect_uses(graph, name, channel_first);
    const std::size_t rank = spec.shape.size();
    put_first(graph, make_transpose(name, channel_first, to_channel_first(rank)));
    set_type(*input, spec.dtype, reordered(spec.shape, to_channel_last(rank)));
  }
  return {};
}

Result<void> channel_last_outputs(Model& model, const std::vector<std::string>& output_names) {
  if (output_names.empty()) return {};
  SLIPWAY_TRY(default_opset(model.proto()));
  SLIPWAY_TRY(check_distinct(output_names));
  auto& graph = *model.proto().mutable_graph();
  ValueNames names(graph);
  for (const auto& name : output_names) {
    std::vector<onnx::ValueInfoProto*> outputs;
    for (auto& output : *graph.mutable_output()) outputs.push_back(&output);
    SLIPWAY_ASSIGN(auto* const output, find(outputs, name, "output"));
    SLIPWAY_ASSIGN(const auto spec, spec_with_channels(*output, "output"));
    const std::string channel_first = names.fresh(name + "_channel_first");
    if (!rename_product(graph, name, channel_first)) {
      return fail(Code::kInvalidArgument, "channel last: output \"{}\" is an input or a constant handed through", name);
    }
    redirect_uses(graph, name, channel_first);
    drop_value_info(graph, name);
    const auto axes = to_channel_last(spec.shape.size());
    *graph.add_node() = make_transpose(channel_first, name, axes);
    set_type(*output, spec.dtype, reordered(spec.shape, axes));
  }
  return {};
}

}  // namespace slipway::compile::onnx_graph
