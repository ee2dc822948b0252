#include "compile/npu_probes/sketch.hpp"

#include <cmath>
#include <cstring>

#include <fmt/format.h>

#include "compile/onnx_graph/element_type.hpp"

namespace slipway::compile::npu_probes {
namespace {

using onnx_graph::element_type_of_dtype;
using onnx_graph::Model;
using tensor::Dtype;
using tensor::Shape;
using tensor::Tensor;

struct Grid {
  int lowest, highest;
};
Grid grid_of(Dtype dtype) {
  if (dtype == Dtype::kInt8) return {-128, 127};
  if (dtype == Dtype::kUint16) return {0, 65535};
  return {0, 255};
}

template <typename T>
void fill(Tensor& tensor, std::mt19937_64& random, Range range) {
  for (T& value : tensor.values<T>()) {
    const double unit = static_cast<double>(random() >> 11U) * 0x1p-53;
    if constexpr (std::is_floating_point_v<T>) {
      value = static_cast<T>(range.low + unit * (range.high - range.low));
    } else {
      value = static_cast<T>(std::floor(range.low + unit * (range.high - range.low + 1)));
    }
  }
}

Tensor fill(std::mt19937_64& random, Dtype dtype, const Shape& shape, Range range) {
  auto made = Tensor::zeros(dtype, shape);
  SLIPWAY_CHECK(made.has_value(), "probes are small");
  Tensor& tensor = *made;
  if (dtype == Dtype::kFloat32) fill<float>(tensor, random, range);
  if (dtype == Dtype::kInt32) fill<std::int32_t>(tensor, random, range);
  if (dtype == Dtype::kInt64) fill<std::int64_t>(tensor, random, range);
  if (dtype == Dtype::kUint8) fill<std::uint8_t>(tensor, random, range);
  if (dtype == Dtype::kInt8) fill<std::int8_t>(tensor, random, range);
  if (dtype == Dtype::kBool) fill<std::uint8_t>(tensor, random, {.low = 0, .high = 1});
  return std::move(tensor);
}

}  // namespace

Sketch::Sketch(ElementKind kind, std::vector<Range> output_ranges, std::int64_t opset)
    : kind_(kind),
      output_ranges_(std::move(output_ranges)),
      model_(Model::create(opset, opset >= 21 ? 10 : 8, "probe", "slipway")),
      graph_(std::in_place, model_) {}

std::string Sketch::fresh(const char* prefix) {
  return fmt::format("{}{}", prefix, names_++);
}

Tensor Sketch::filled(Dtype dtype, const Shape& shape, Range range) {
  return fill(random_, dtype, shape, range);
}

Tensor seeded(Dtype dtype, const Shape& shape, Range range) {
  std::mt19937_64 random{20261130};
  return fill(random, dtype, shape, range);
}

Sketch::Value* Sketch::constant(Dtype dtype, const Shape& shape, std::span<const std::byte> bytes) {
  return &graph_->add_initializer(graph_->main(), fresh("c"),
                                  {.element_type = element_type_of_dtype(dtype), .shape = shape, .bytes = bytes});
}

Sketch::Value* Sketch::quantized(Value* value, Range range, const char* name) {
  const Dtype dtype = *row_of(kind_).quantized_as;
  const Grid grid = grid_of(dtype);
  const double low = std::min(range.low, 0.0);
  const double high = std::max(range.high, 0.0);
  const auto scale =
      static_cast<float>(high > low ? (high - low) / static_cast<double>(grid.highest - grid.lowest) : 1.0 / 255);
  const double zero = std::round(grid.lowest - low / scale);
  Tensor zero_point = filled(dtype, {}, {.low = zero, .high = zero});
  if (dtype == Dtype::kUint16) zero_point.values<std::uint16_t>()[0] = static_cast<std::uint16_t>(zero);
  Value* scale_value = constant(Dtype::kFloat32, {}, std::as_bytes(std::span(&scale, 1)));
  Value* zero_value = constant(dtype, {}, zero_point.bytes());
  Value* integers = node("QuantizeLinear", {value, scale_value, zero_value});
  auto& back = graph_->add_node(graph_->main(), "DequantizeLinear", {integers, scale_value, zero_value}, {name});
  return back.output(0);
}

Sketch::Value* Sketch::input_of(Dtype dtype, const Shape& shape, Range range) {
  const std::string name = fmt::format("x{}", inputs_.size());
  Value& value = graph_->add_input(graph_->main(), name, {element_type_of_dtype(dtype), shape});
  inputs_.push_back({name, filled(dtype, shape, range)});
  return &value;
}

Sketch::Value* Sketch::input(const Shape& shape, Range range) {
  const ElementKindRow& row = row_of(kind_);
  if (kind_ == ElementKind::kUint8) range.low = std::max(range.low, 0.0);
  Value* value = input_of(row.dtype, shape, range);
  return row.quantized_as ? quantized(value, range, "q") : value;
}

Sketch::Value* Sketch::weight(const Shape& shape, Range range) {
  const ElementKindRow& row = row_of(kind_);
  if (!row.quantized_as) {
    const Tensor tensor = filled(row.dtype, shape, range);
    return constant(row.dtype, shape, tensor.bytes());
  }
  // Symmetric int8, as weights are quantised in practice.
  const auto scale = static_cast<float>(std::max(std::abs(range.low), std::abs(range.high)) / 127);
  const Tensor tensor = filled(Dtype::kInt8, shape, {.low = range.low / scale, .high = range.high / scale});
  const std::int8_t zero = 0;
  return node("DequantizeLinear", {constant(Dtype::kInt8, shape, tensor.bytes()),
                                   constant(Dtype::kFloat32, {}, std::as_bytes(std::span(&scale, 1))),
                                   constant(Dtype::kInt8, {}, std::as_bytes(std::span(&zero, 1)))});
}

Sketch::Value* Sketch::integers(const std::vector<std::int64_t>& values) {
  return integers(values, {static_cast<std::int64_t>(values.size())});
}

Sketch::Value* Sketch::integers(const std::vector<std::int64_t>& values, const Shape& shape) {
  return constant(Dtype::kInt64, shape, std::as_bytes(std::span(values)));
}

Sketch::Value* Sketch::floats(const std::vector<float>& values) {
  return constant(Dtype::kFloat32, {static_cast<std::int64_t>(values.size())}, std::as_bytes(std::span(values)));
}

Sketch::Value* Sketch::number(double value) {
  const Dtype dtype = row_of(kind_).dtype;
  const Tensor tensor = filled(dtype, {}, {.low = value, .high = value});
  return constant(dtype, {}, tensor.bytes());
}

Sketch::Value* Sketch::node(const std::string& op_type, const std::vector<Value*>& inputs,
                            const onnx_graph::Attributes& attributes) {
  return node_of(1, op_type, inputs, attributes).front();
}

std::vector<Sketch::Value*> Sketch::node_of(std::size_t outputs, const std::string& op_type,
                                            const std::vector<Value*>& inputs,
                                            const onnx_graph::Attributes& attributes) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < outputs; ++i) names.push_back(fresh("v"));
  return graph_->add_node(graph_->main(), op_type, inputs, names, attributes).outputs();
}

void Sketch::output(Value* value) {
  if (row_of(kind_).quantized_as) {
    const Range range = outputs_ < output_ranges_.size() ? output_ranges_[outputs_] : Range{};
    value = quantized(value, range, "y");
  }
  output_of_other_type(value);
}

void Sketch::output_of_other_type(Value* value) {
  graph_->add_output(*value);
  ++outputs_;
}

Sketch::Drawn Sketch::finish() {
  graph_.reset();
  return {.model = std::move(model_), .inputs = std::move(inputs_)};
}

}  // namespace slipway::compile::npu_probes
