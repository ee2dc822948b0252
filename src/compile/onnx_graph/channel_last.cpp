#include "compile/onnx_graph/channel_last.hpp"

#include <algorithm>
#include <numeric>
#include <set>

#include "compile/onnx_graph/element_type.hpp"
#include "compile/onnx_graph/rewriter.hpp"

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

Result<Value*> find(const std::vector<Value*>& values, const std::string& name, std::string_view kind) {
  std::vector<std::string> known;
  for (Value* value : values) {
    if (value->name() == name) return value;
    known.push_back(value->name());
  }
  return fail(Code::kInvalidArgument, "channel last: no {} is named \"{}\"; the {}s are {}", kind, name, kind,
              fmt::join(known, ", "));
}

Result<tensor::Shape> shape_with_channels(const Value& value, std::string_view kind) {
  const ValueType& type = value.type();
  if (!type.element_type || !type.shape) {
    return fail(Code::kInvalidArgument, "channel last: the shape of {} \"{}\" is not known", kind, value.name());
  }
  if (type.shape->size() < kLowestRank || type.shape->size() > kHighestRank) {
    return fail(Code::kInvalidArgument, "channel last: expected {} \"{}\" to have 3 to 5 dimensions, found {}", kind,
                value.name(), to_string(type));
  }
  return *type.shape;
}

Result<void> check_distinct(const std::vector<std::string>& names) {
  std::set<std::string> named;
  for (const auto& name : names) {
    if (!named.insert(name).second) return fail(Code::kInvalidArgument, "channel last: \"{}\" is named twice", name);
  }
  return {};
}

/// Puts the sizes in another order. Names of sizes do not move with them, so they are dropped first.
void reorder(Rewriter& rewriter, Value& value, const tensor::Shape& shape, const std::vector<std::int64_t>& axes) {
  tensor::Shape reordered;
  for (const std::int64_t axis : axes) reordered.push_back(shape[static_cast<std::size_t>(axis)]);
  const auto element_type = value.type().element_type;
  rewriter.set_type(value, {element_type, std::nullopt});
  rewriter.set_type(value, {element_type, std::move(reordered)});
}

}  // namespace

Result<void> channel_last_inputs(Model& model, const std::vector<std::string>& input_names) {
  if (input_names.empty()) return {};
  SLIPWAY_TRY(check_distinct(input_names));
  Rewriter rewriter(model);
  SLIPWAY_TRY(rewriter.opset());
  for (const auto& name : input_names) {
    SLIPWAY_ASSIGN(Value* const input, find(rewriter.fed_inputs(), name, "input"));
    SLIPWAY_ASSIGN(const tensor::Shape shape, shape_with_channels(*input, "input"));
    if (input->is_output()) {
      return fail(Code::kInvalidArgument, "channel last: input \"{}\" is handed through as an output", name);
    }
    rewriter.insert_after(*input, "Transpose", name + "_channel_first", {{"perm", to_channel_first(shape.size())}});
    reorder(rewriter, *input, shape, to_channel_last(shape.size()));
  }
  return {};
}

Result<void> channel_last_outputs(Model& model, const std::vector<std::string>& output_names) {
  if (output_names.empty()) return {};
  SLIPWAY_TRY(check_distinct(output_names));
  Rewriter rewriter(model);
  SLIPWAY_TRY(rewriter.opset());
  for (const auto& name : output_names) {
    SLIPWAY_ASSIGN(Value* const output, find(rewriter.main().outputs(), name, "output"));
    SLIPWAY_ASSIGN(const tensor::Shape shape, shape_with_channels(*output, "output"));
    if (output->producer() == nullptr) {
      return fail(Code::kInvalidArgument, "channel last: output \"{}\" is an input or a constant handed through", name);
    }
    const auto axes = to_channel_last(shape.size());
    const Node& transpose = rewriter.insert_under_name(*output, "Transpose", name + "_channel_first", {{"perm", axes}});
    reorder(rewriter, *transpose.output(0), shape, axes);
  }
  return {};
}

}  // namespace slipway::compile::onnx_graph
