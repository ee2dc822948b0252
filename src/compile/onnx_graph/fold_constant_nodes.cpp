#include "compile/onnx_graph/fold_constant_nodes.hpp"

#include <algorithm>
#include <optional>
#include <set>

#include <onnx.pb.h>

namespace slipway::compile::onnx_graph {
namespace {

/// From this version on, initialisers need not be graph inputs.
constexpr std::int64_t kIrWithFreeInitializers = 4;

std::optional<onnx::TensorProto> constant_of(const onnx::NodeProto& node) {
  if (node.attribute_size() != 1 || !node.attribute(0).ref_attr_name().empty()) return std::nullopt;
  const auto& attribute = node.attribute(0);
  onnx::TensorProto tensor;
  if (attribute.name() == "value" && attribute.has_t()) {
    tensor = attribute.t();
  } else if (attribute.name() == "value_float") {
    tensor.set_data_type(onnx::TensorProto::FLOAT);
    tensor.add_float_data(attribute.f());
  } else if (attribute.name() == "value_floats") {
    tensor.set_data_type(onnx::TensorProto::FLOAT);
    tensor.add_dims(attribute.floats_size());
    *tensor.mutable_float_data() = attribute.floats();
  } else if (attribute.name() == "value_int") {
    tensor.set_data_type(onnx::TensorProto::INT64);
    tensor.add_int64_data(attribute.i());
  } else if (attribute.name() == "value_ints") {
    tensor.set_data_type(onnx::TensorProto::INT64);
    tensor.add_dims(attribute.ints_size());
    *tensor.mutable_int64_data() = attribute.ints();
  } else {
    return std::nullopt;
  }
  return tensor;
}

void take_initializers_out_of_inputs(onnx::ModelProto& model) {
  auto& graph = *model.mutable_graph();
  std::set<std::string> initialized;
  for (const auto& tensor : graph.initializer()) initialized.insert(tensor.name());
  auto& inputs = *graph.mutable_input();
  const auto kept = std::remove_if(inputs.begin(), inputs.end(),
                                   [&](const auto& input) { return initialized.contains(input.name()); });
  inputs.erase(kept, inputs.end());
  if (model.ir_version() < kIrWithFreeInitializers) model.set_ir_version(kIrWithFreeInitializers);
}

}  // namespace

int fold_constant_nodes(Model& model) {
  auto& graph = *model.proto().mutable_graph();
  std::set<std::string> outputs;
  for (const auto& output : graph.output()) outputs.insert(output.name());

  int folded = 0;
  google::protobuf::RepeatedPtrField<onnx::NodeProto> kept;
  kept.Reserve(graph.node_size());
  for (auto& node : *graph.mutable_node()) {
    std::optional<onnx::TensorProto> constant;
    const bool is_constant = node.op_type() == "Constant" && (node.domain().empty() || node.domain() == "ai.onnx");
    if (is_constant && node.output_size() == 1 && !outputs.contains(node.output(0))) constant = constant_of(node);
    if (constant) {
      constant->set_name(node.output(0));
      *graph.add_initializer() = std::move(*constant);
      ++folded;
    } else {
      *kept.Add() = std::move(node);
    }
  }
  *graph.mutable_node() = std::move(kept);
  take_initializers_out_of_inputs(model.proto());
  return folded;
}

}  // namespace slipway::compile::onnx_graph
