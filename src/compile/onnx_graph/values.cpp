#include "compile/onnx_graph/values.hpp"

#include <cstring>
#include <set>

#include <onnx.pb.h>

#include "compile/onnx_graph/element_type.hpp"

namespace slipway::compile::onnx_graph {
namespace {

constexpr std::int64_t kOldestOpset = 7;

template <typename T>
double raw_scalar(const std::string& bytes) {
  T value{};
  std::memcpy(&value, bytes.data(), sizeof(T));
  return static_cast<double>(value);
}

template <typename T, typename Field>
std::optional<std::vector<T>> inline_values(const onnx::TensorProto& tensor, int element_type, const Field& field) {
  if (tensor.data_type() != element_type || tensor.data_location() == onnx::TensorProto::EXTERNAL) return std::nullopt;
  if (!tensor.has_raw_data()) return std::vector<T>(field.begin(), field.end());
  std::vector<T> values(tensor.raw_data().size() / sizeof(T));
  if (!values.empty()) std::memcpy(values.data(), tensor.raw_data().data(), values.size() * sizeof(T));
  return values;
}

}  // namespace

std::optional<tensor::TensorSpec> spec_of(const onnx::ValueInfoProto& value) {
  if (!value.type().has_tensor_type()) return std::nullopt;
  const auto& type = value.type().tensor_type();
  const auto dtype = dtype_of_element_type(type.elem_type());
  if (!dtype) return std::nullopt;
  tensor::TensorSpec spec{
      .name = value.name(), .dtype = *dtype, .shape = {}, .quantization = std::nullopt, .has_rank = type.has_shape()};
  for (const auto& dimension : type.shape().dim()) {
    const bool is_fixed = dimension.has_dim_value() && dimension.dim_value() >= 0;
    spec.shape.push_back(is_fixed ? dimension.dim_value() : -1);
  }
  return spec;
}

ValueType type_of(const onnx::ValueInfoProto& value) {
  ValueType type;
  if (!value.type().has_tensor_type()) return type;
  const auto& tensor = value.type().tensor_type();
  if (tensor.elem_type() != onnx::TensorProto::UNDEFINED) type.element_type = tensor.elem_type();
  if (!tensor.has_shape()) return type;
  type.shape.emplace();
  for (const auto& dimension : tensor.shape().dim()) {
    const bool is_fixed = dimension.has_dim_value() && dimension.dim_value() >= 0;
    type.shape->push_back(is_fixed ? dimension.dim_value() : -1);
  }
  return type;
}

void write_type(onnx::ValueInfoProto& value, const ValueType& type) {
  if (!type.element_type) return;
  auto& tensor = *value.mutable_type()->mutable_tensor_type();
  tensor.set_elem_type(*type.element_type);
  if (!type.shape) return tensor.clear_shape();
  auto& dimensions = *tensor.mutable_shape();
  const bool has_same_rank = static_cast<std::size_t>(dimensions.dim_size()) == type.shape->size();
  if (!has_same_rank) dimensions.clear_dim();
  for (std::size_t i = 0; i < type.shape->size(); ++i) {
    auto* const dimension = has_same_rank ? dimensions.mutable_dim(static_cast<int>(i)) : dimensions.add_dim();
    const std::int64_t size = (*type.shape)[i];
    if (size >= 0) {
      dimension->set_dim_value(size);
    } else if (!dimension->has_dim_param()) {
      dimension->clear_dim_value();
    }
  }
}

std::vector<const onnx::ValueInfoProto*> inputs_without_initializers(const onnx::GraphProto& graph) {
  std::set<std::string> initialized;
  for (const auto& tensor : graph.initializer()) initialized.insert(tensor.name());
  for (const auto& sparse : graph.sparse_initializer()) initialized.insert(sparse.values().name());
  std::vector<const onnx::ValueInfoProto*> inputs;
  for (const auto& input : graph.input()) {
    if (!initialized.contains(input.name())) inputs.push_back(&input);
  }
  return inputs;
}

std::optional<double> scalar_value(const onnx::TensorProto& tensor) {
  if (tensor.data_location() == onnx::TensorProto::EXTERNAL) return std::nullopt;
  for (const std::int64_t size : tensor.dims()) {
    if (size != 1) return std::nullopt;
  }
  const std::string& raw = tensor.raw_data();
  const auto bits = element_size_bits(tensor.data_type());
  const bool has_raw = tensor.has_raw_data() && bits && raw.size() * 8 == static_cast<std::size_t>(*bits);
  switch (tensor.data_type()) {
    case onnx::TensorProto::FLOAT:
      if (has_raw) return raw_scalar<float>(raw);
      return tensor.float_data_size() == 1 ? std::optional<double>(tensor.float_data(0)) : std::nullopt;
    case onnx::TensorProto::UINT8:
      if (has_raw) return raw_scalar<std::uint8_t>(raw);
      break;
    case onnx::TensorProto::INT8:
      if (has_raw) return raw_scalar<std::int8_t>(raw);
      break;
    case onnx::TensorProto::UINT16:
      if (has_raw) return raw_scalar<std::uint16_t>(raw);
      break;
    case onnx::TensorProto::INT16:
      if (has_raw) return raw_scalar<std::int16_t>(raw);
      break;
    case onnx::TensorProto::INT32:
      if (has_raw) return raw_scalar<std::int32_t>(raw);
      break;
    default:
      return std::nullopt;
  }
  return tensor.int32_data_size() == 1 ? std::optional<double>(tensor.int32_data(0)) : std::nullopt;
}

std::optional<std::vector<std::int64_t>> int64_values(const onnx::TensorProto& tensor) {
  return inline_values<std::int64_t>(tensor, onnx::TensorProto::INT64, tensor.int64_data());
}

std::optional<std::vector<float>> float_values(const onnx::TensorProto& tensor) {
  return inline_values<float>(tensor, onnx::TensorProto::FLOAT, tensor.float_data());
}

base::Result<std::int64_t> default_opset(const onnx::ModelProto& model) {
  for (const auto& opset : model.opset_import()) {
    if (!opset.domain().empty() && opset.domain() != "ai.onnx") continue;
    if (opset.version() >= kOldestOpset) return opset.version();
    return base::fail(
        base::Code::kInvalidArgument,
        "the model uses opset {}; graphs older than opset {} are not rewritten: export it with a newer one",
        opset.version(), kOldestOpset);
  }
  return base::fail(base::Code::kInvalidArgument, "the model imports no version of the standard operators");
}

}  // namespace slipway::compile::onnx_graph
