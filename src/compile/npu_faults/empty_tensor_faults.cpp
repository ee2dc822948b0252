#include "compile/npu_faults/empty_tensor_faults.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "compile/npu_faults/probe_graph.hpp"
#include "compile/onnx_graph/element_type.hpp"

namespace slipway::compile::npu_faults {

using onnx_graph::InferredTypes;
using onnx_graph::Node;
using onnx_graph::Rewriter;
using onnx_graph::Value;
using tensor::Dtype;

namespace {

/// Lists of sizes and axes, int64 of rank 1, are read by the compiler as settings, not as data.
bool is_empty(const Value& value, const InferredTypes& types) {
  const auto type = types.type(value);
  if (!type.shape || tensor::element_count(*type.shape) != 0) return false;
  return type.shape->size() != 1 || type.element_type != onnx_graph::element_type_of_dtype(Dtype::kInt64);
}

}  // namespace

int fold_empty_tensors(Rewriter& graph, const InferredTypes& types) {
  int count = 0;
  const std::vector<Node*> nodes = graph.main().nodes();
  for (Node* node : nodes) {
    Value* const output = node->output(0);
    const auto type = output == nullptr ? onnx_graph::ValueType{} : types.type(*output);
    if (output == nullptr || !type.element_type || !is_empty(*output, types)) continue;
    const std::vector<Value*> inputs = node->inputs();
    if (!graph.replace_by_initializer(*node, {*type.element_type, *type.shape, {}})) continue;
    ++count;
    for (Value* input : inputs) {
      if (input != nullptr) graph.remove_if_unused(*input);
    }
  }
  return count;
}

std::vector<std::string> empty_tensors(Rewriter& graph, const InferredTypes& types) {
  std::vector<std::string> found;
  const auto note = [&](const Value& value, const std::string& what) {
    if (!is_empty(value, types)) return;
    found.push_back(fmt::format("{} '{}' is {}", what, value.name(), onnx_graph::to_string(types.type(value))));
  };
  for (const Value* input : graph.fed_inputs()) note(*input, "input");
  for (const auto* scope : graph.scopes()) {
    for (const Node* node : scope->nodes()) {
      for (const Value* output : node->outputs()) {
        if (output != nullptr) note(*output, fmt::format("what {} '{}' gives,", node->op_type(), node->name()));
      }
    }
  }
  return found;
}

onnx_graph::Model empty_tensor_probe() {
  ProbeGraph graph;
  auto* const data = graph.input(Dtype::kFloat32, {1, 3, 8});
  auto* const nothing = graph.node("Slice", {data, graph.integers({0}), graph.integers({0}), graph.integers({1})});
  auto* const none = graph.node("Relu", {nothing});
  auto* const joined = graph.node("Concat", {data, none}, {{"axis", std::int64_t{1}}});
  return std::move(graph).with_output(joined, Dtype::kFloat32, {1, 3, 8});
}

}  // namespace slipway::compile::npu_faults
