#include "compile/npu_faults/index_faults.hpp"

#include <algorithm>
#include <array>

#include "compile/npu_faults/find_nodes.hpp"
#include "compile/npu_faults/integer_constant.hpp"
#include "compile/npu_faults/probe_graph.hpp"
#include "compile/onnx_graph/element_type.hpp"

namespace slipway::compile::npu_faults {

using onnx_graph::InferredTypes;
using onnx_graph::Node;
using onnx_graph::Rewriter;
using onnx_graph::Value;
using tensor::Dtype;
using Integers = std::vector<std::int64_t>;

namespace {

constexpr std::array kReaders = {"Gather", "GatherElements", "ScatterElements", "ScatterND"};
constexpr std::array kNeverNegative = {"ArgMax", "ArgMin", "NonZero", "Shape", "Size", "TopK"};
constexpr std::array kSameNumbers = {"Cast",    "Concat", "Expand",  "Flatten",   "Gather",   "Identity",
                                     "Reshape", "Slice",  "Squeeze", "Transpose", "Unsqueeze"};

bool is_one_of(const Node& node, std::span<const char* const> operators) {
  return std::ranges::any_of(operators, [&](const char* name) { return node.is(name); });
}

bool is_unsigned(const std::optional<int>& element_type) {
  const auto dtype = element_type ? onnx_graph::dtype_of_element_type(*element_type) : std::nullopt;
  return dtype == Dtype::kBool || dtype == Dtype::kUint8 || dtype == Dtype::kUint16 || dtype == Dtype::kUint32;
}

bool may_be_negative(const Value& value, const InferredTypes& types) {
  if (value.is_constant() || is_unsigned(types.type(value).element_type)) return false;
  const Node* const node = value.producer();
  if (node == nullptr) return true;
  if (is_one_of(*node, kNeverNegative)) return false;
  if (!is_one_of(*node, kSameNumbers)) return true;
  const std::size_t count = node->is("Concat") ? node->inputs().size() : 1;
  for (std::size_t i = 0; i < count; ++i) {
    const Value* const input = node->input(i);
    const auto known = input == nullptr ? std::nullopt : types.integers(*input);
    if (known && std::ranges::all_of(*known, [](std::int64_t number) { return number >= 0; })) continue;
    // Constants may be negative here: what is made of them need not be folded into one.
    if (input == nullptr || input->is_constant() || may_be_negative(*input, types)) return true;
  }
  return false;
}

/// What is added to an index: one size, or one for each number of which a place consists.
Integers sizes_behind(const Node& node, const InferredTypes& types) {
  const auto shape = node.input(0) == nullptr ? std::nullopt : types.type(*node.input(0)).shape;
  if (!shape) return {};
  Integers sizes;
  if (node.is("ScatterND")) {
    const auto places = types.type(*node.input(1)).shape;
    const bool is_known =
        places && !places->empty() && places->back() >= 0 && places->back() <= static_cast<std::int64_t>(shape->size());
    if (is_known) sizes.assign(shape->begin(), shape->begin() + places->back());
  } else {
    const std::int64_t axis = node.integer("axis").value_or(0);
    const auto place = axis < 0 ? axis + static_cast<std::int64_t>(shape->size()) : axis;
    if (place >= 0 && place < static_cast<std::int64_t>(shape->size())) {
      sizes = {(*shape)[static_cast<std::size_t>(place)]};
    }
  }
  const bool is_fixed = std::ranges::all_of(sizes, [](std::int64_t size) { return size > 0; });
  return is_fixed ? sizes : Integers{};
}

void count_from_the_start(Rewriter& graph, Node& reader, int element_type, const Integers& sizes) {
  Value* const index = reader.input(1);
  auto& scope = reader.scope();
  const std::string& name = index->name();
  Value& zero = integer_constant(graph, index->scope(), name + "_sizes", element_type, {0});
  Value& size = integer_constant(graph, index->scope(), name + "_sizes", element_type, sizes);
  Node& below = graph.add_node(scope, "Less", {index, &zero}, {name + "_is_negative"});
  Node& moved = graph.add_node(scope, "Add", {index, &size}, {name + "_from_the_end"});
  Node& chosen = graph.add_node(scope, "Where", {below.output(0), moved.output(0), index}, {name + "_from_the_start"});
  graph.set_input(reader, 1, chosen.output(0));
}

/// Whether an index is what count_from_the_start() makes.
bool is_counted(const Value& index) {
  const Node* const where = index.producer();
  if (where == nullptr || !where->is("Where") || where->input(0) == nullptr) return false;
  const Node* const less = where->input(0)->producer();
  return less != nullptr && less->is("Less") && less->input(0) == where->input(2);
}

}  // namespace

int count_indices_from_the_start(Rewriter& graph, const InferredTypes& types) {
  int count = 0;
  for (const char* op_type : kReaders) {
    for (Node* node : find_nodes(graph, op_type)) {
      const Value* const index = node->input(1);
      if (index == nullptr || is_counted(*index) || !may_be_negative(*index, types)) continue;
      const Integers sizes = sizes_behind(*node, types);
      if (!holds_integers(index, types) || sizes.empty()) continue;
      count_from_the_start(graph, *node, *types.type(*index).element_type, sizes);
      ++count;
    }
  }
  return count;
}

onnx_graph::Model negative_index_probe() {
  ProbeGraph graph;
  auto* const data = graph.input(Dtype::kFloat32, {400, 2});
  auto* const indices = graph.input(Dtype::kInt32, {64, 2});
  auto* const picked = graph.node("GatherElements", {data, indices});
  return std::move(graph).with_output(picked, Dtype::kFloat32, {64, 2});
}

}  // namespace slipway::compile::npu_faults
