#include "compile/npu_faults/integer_faults.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "compile/npu_faults/find_nodes.hpp"
#include "compile/npu_faults/integer_constant.hpp"
#include "compile/npu_faults/probe_graph.hpp"
#include "compile/onnx_graph/element_type.hpp"

namespace slipway::compile::npu_faults {

using onnx_graph::element_type_of_dtype;
using onnx_graph::InferredTypes;
using onnx_graph::Model;
using onnx_graph::Node;
using onnx_graph::Rewriter;
using onnx_graph::Value;
using tensor::Dtype;

namespace {

/// Operators that compute with what they read; others take such constants as settings, "to the end" of a Slice.
constexpr std::array kComputing = {"Add",  "Clip",        "Concat", "Div", "Equal", "Greater", "GreaterOrEqual",
                                   "Less", "LessOrEqual", "Max",    "Min", "Mod",   "Mul",     "ScatterElements",
                                   "Sub",  "Where"};

bool leaves_32_bits(std::int64_t number) {
  return number < std::numeric_limits<std::int32_t>::min() || number > std::numeric_limits<std::int32_t>::max();
}

/// ONNX Runtime computes what only constants enter.
bool is_computed_before(const Node& node) {
  return std::ranges::all_of(node.inputs(),
                             [](const Value* input) { return input == nullptr || input->is_constant(); });
}

std::string in_words(const Node& node) {
  return fmt::format("{} '{}'", node.op_type(), node.name());
}

/// A mask as integers: sums of it are counts.
bool is_mask(const Value& value, const InferredTypes& types) {
  const Node* const cast = value.producer();
  return cast != nullptr && cast->is("Cast") && cast->input(0) != nullptr &&
         types.type(*cast->input(0)).element_type == element_type_of_dtype(Dtype::kBool);
}

/// A quotient times its divisor, which is no larger than the number that was divided.
bool is_part_of_a_number(const Node& product) {
  for (const std::size_t i : {0U, 1U}) {
    const Value* const quotient = product.input(i);
    const Node* const division = quotient == nullptr ? nullptr : quotient->producer();
    if (division != nullptr && division->is("Div") && division->input(1) == product.input(1 - i)) return true;
  }
  return false;
}

/// The largest number of an integer constant, whatever its sign; 0 for what is none.
double size_of(const Value* value) {
  if (value == nullptr || !value->is_constant()) return 0;
  const auto numbers = value->integers();
  if (!numbers) return std::abs(value->scalar().value_or(0));
  double largest = 0;
  for (const std::int64_t number : *numbers) largest = std::max(largest, std::abs(static_cast<double>(number)));
  return largest;
}

}  // namespace

Places wide_constants(Rewriter& graph, const InferredTypes&) {
  Places found;
  for (const char* op_type : kComputing) {
    for (const Node* node : find_nodes(graph, op_type)) {
      if (is_computed_before(*node)) continue;
      for (const Value* input : node->inputs()) {
        const auto numbers = input == nullptr ? std::nullopt : input->integers();
        const auto wide =
            numbers ? std::ranges::find_if(*numbers, leaves_32_bits) : std::vector<std::int64_t>::const_iterator{};
        if (!numbers || wide == numbers->end()) continue;
        found.push_back(fmt::format("{} '{}' reads the constant {}", op_type, node->name(), *wide));
      }
    }
  }
  return found;
}

Model wide_constant_probe() {
  ProbeGraph graph;
  auto* const data = graph.input(Dtype::kInt64, {1, 64});
  auto* const sum = graph.node("Add", {data, graph.integers({std::int64_t{1} << 40})});
  return std::move(graph).with_output(sum, Dtype::kInt64, {1, 64});
}

Places sums_in_float(Rewriter& graph, const InferredTypes& types) {
  Places found;
  for (const char* op_type : {"ReduceSum", "CumSum", "TopK"}) {
    for (const Node* node : find_nodes(graph, op_type)) {
      const bool is_found = holds_integers(node->input(0), types) && !is_computed_before(*node);
      if (is_found && !is_mask(*node->input(0), types)) found.push_back(in_words(*node));
    }
  }
  return found;
}

Model large_sum_probe() {
  ProbeGraph graph;
  auto* const numbers = graph.node("Mul", {graph.input(Dtype::kInt64, {1, 64}), graph.integers({100003})});
  auto* const sums = graph.node("CumSum", {numbers, graph.integer(1)});
  return std::move(graph).with_output(sums, Dtype::kInt64, {1, 64});
}

Places large_factors(Rewriter& graph, const InferredTypes& types) {
  constexpr double kLargeFactor = 1 << 16;
  constexpr double kLargeSummand = 1 << 30;
  Places found;
  for (const auto& [op_type, limit] :
       {std::pair("Mul", kLargeFactor), std::pair("Add", kLargeSummand), std::pair("Sub", kLargeSummand)}) {
    for (const Node* node : find_nodes(graph, op_type)) {
      if (!holds_integers(node->input(0), types) || is_computed_before(*node) || is_part_of_a_number(*node)) continue;
      const double size = std::max(size_of(node->input(0)), size_of(node->input(1)));
      if (size >= limit) found.push_back(fmt::format("{} with a constant of {:.0f}", in_words(*node), size));
    }
  }
  return found;
}

Model overflow_probe() {
  constexpr std::int64_t kFactor = std::int64_t{2654435761} / 2;
  ProbeGraph graph;
  auto* const product = graph.node("Mul", {graph.input(Dtype::kInt64, {1, 64}), graph.integers({kFactor})});
  return std::move(graph).with_output(product, Dtype::kInt64, {1, 64});
}

Places unsigned_arithmetic(Rewriter& graph, const InferredTypes& types) {
  Places found;
  for (const char* op_type : {"Cast", "Max", "Min", "Mul"}) {
    for (const Node* node : find_nodes(graph, op_type)) {
      if (types.type(*node->input(0)).element_type != element_type_of_dtype(Dtype::kUint32)) continue;
      const bool is_same_bits = node->integer("to") == element_type_of_dtype(Dtype::kInt32);
      if (!is_same_bits && !is_computed_before(*node)) found.push_back(in_words(*node));
    }
  }
  return found;
}

Model unsigned_probe() {
  const std::int64_t uint32 = element_type_of_dtype(Dtype::kUint32);
  ProbeGraph graph;
  auto* const numbers = graph.node("Cast", {graph.input(Dtype::kInt32, {1, 64})}, {{"to", uint32}});
  auto* const wide = graph.node("Cast", {numbers}, {{"to", std::int64_t{element_type_of_dtype(Dtype::kInt64)}}});
  return std::move(graph).with_output(wide, Dtype::kInt64, {1, 64});
}

Places narrowing_casts(Rewriter& graph, const InferredTypes& types) {
  Places found;
  for (const Node* node : find_nodes(graph, "Cast")) {
    const bool is_narrowing = node->integer("to") == element_type_of_dtype(Dtype::kUint8) &&
                              holds_integers(node->input(0), types) && !is_computed_before(*node);
    const Node* const from = node->input(0)->producer();
    const bool fits =
        from != nullptr && (from->is("ArgMax") || from->is("ArgMin") || from->is("Clip") || from->is("Min"));
    if (is_narrowing && !fits && !is_mask(*node->input(0), types)) found.push_back(in_words(*node));
  }
  return found;
}

Model narrowing_cast_probe() {
  const std::int64_t uint8 = element_type_of_dtype(Dtype::kUint8);
  ProbeGraph graph;
  auto* const bytes = graph.node("Cast", {graph.input(Dtype::kInt32, {1, 64})}, {{"to", uint8}});
  return std::move(graph).with_output(bytes, Dtype::kUint8, {1, 64});
}

}  // namespace slipway::compile::npu_faults
