#include "compile/npu_faults/probe_graph.hpp"

#include <fmt/format.h>

#include "compile/onnx_graph/element_type.hpp"

namespace slipway::compile::npu_faults {

using onnx_graph::element_type_of_dtype;
using tensor::Dtype;
using tensor::Shape;

ProbeGraph::Value* ProbeGraph::input(Dtype dtype, const Shape& shape) {
  const std::string name = fmt::format("x{}", graph_->main().inputs().size());
  return &graph_->add_input(graph_->main(), name, {element_type_of_dtype(dtype), shape});
}

ProbeGraph::Value* ProbeGraph::constant(Dtype dtype, const Shape& shape, std::span<const std::byte> bytes) {
  return &graph_->add_initializer(graph_->main(), "constant",
                                  {.element_type = element_type_of_dtype(dtype), .shape = shape, .bytes = bytes});
}

ProbeGraph::Value* ProbeGraph::integers(const std::vector<std::int64_t>& values) {
  return constant(Dtype::kInt64, {static_cast<std::int64_t>(values.size())}, std::as_bytes(std::span(values)));
}

ProbeGraph::Value* ProbeGraph::integer(std::int64_t value) {
  return constant(Dtype::kInt64, {}, std::as_bytes(std::span(&value, 1)));
}

ProbeGraph::Value* ProbeGraph::floats(const std::vector<float>& values) {
  return constant(Dtype::kFloat32, {static_cast<std::int64_t>(values.size())}, std::as_bytes(std::span(values)));
}

ProbeGraph::Value* ProbeGraph::number(float value) {
  return constant(Dtype::kFloat32, {}, std::as_bytes(std::span(&value, 1)));
}

ProbeGraph::Value* ProbeGraph::byte(std::uint8_t number) {
  return constant(Dtype::kUint8, {}, std::as_bytes(std::span(&number, 1)));
}

ProbeGraph::Value* ProbeGraph::node(const std::string& op_type, const std::vector<Value*>& inputs,
                                    const onnx_graph::Attributes& attributes) {
  return graph_->add_node(graph_->main(), op_type, inputs, {"y"}, attributes).output(0);
}

void ProbeGraph::output(Value* value, Dtype dtype, const Shape& shape) {
  graph_->set_type(*value, {element_type_of_dtype(dtype), shape});
  graph_->add_output(*value);
}

onnx_graph::Model ProbeGraph::finish() && {
  graph_.reset();
  return std::move(model_);
}

onnx_graph::Model ProbeGraph::with_output(Value* value, Dtype dtype, const Shape& shape) && {
  output(value, dtype, shape);
  return std::move(*this).finish();
}

}  // namespace slipway::compile::npu_faults
