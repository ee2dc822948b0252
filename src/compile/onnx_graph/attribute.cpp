#include "compile/onnx_graph/attribute.hpp"

#include <onnx.pb.h>

namespace slipway::compile::onnx_graph {

void write_tensor(onnx::TensorProto& tensor, const TensorBytes& bytes) {
  tensor.set_data_type(bytes.element_type);
  for (const std::int64_t size : bytes.shape) tensor.add_dims(size);
  tensor.set_raw_data(bytes.bytes.data(), bytes.bytes.size());
}

void write_attribute(onnx::AttributeProto& attribute, const AttributeValue& value) {
  const std::string name = attribute.name();
  attribute.Clear();
  attribute.set_name(name);
  if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    attribute.set_type(onnx::AttributeProto::INT);
    attribute.set_i(*integer);
  } else if (const auto* real = std::get_if<float>(&value)) {
    attribute.set_type(onnx::AttributeProto::FLOAT);
    attribute.set_f(*real);
  } else if (const auto* text = std::get_if<std::string>(&value)) {
    attribute.set_type(onnx::AttributeProto::STRING);
    attribute.set_s(*text);
  } else if (const auto* integers = std::get_if<std::vector<std::int64_t>>(&value)) {
    attribute.set_type(onnx::AttributeProto::INTS);
    for (const std::int64_t element : *integers) attribute.add_ints(element);
  } else if (const auto* reals = std::get_if<std::vector<float>>(&value)) {
    attribute.set_type(onnx::AttributeProto::FLOATS);
    for (const float element : *reals) attribute.add_floats(element);
  } else if (const auto* texts = std::get_if<std::vector<std::string>>(&value)) {
    attribute.set_type(onnx::AttributeProto::STRINGS);
    for (const std::string& element : *texts) attribute.add_strings(element);
  } else {
    attribute.set_type(onnx::AttributeProto::TENSOR);
    write_tensor(*attribute.mutable_t(), std::get<TensorBytes>(value));
  }
}

}  // namespace slipway::compile::onnx_graph
