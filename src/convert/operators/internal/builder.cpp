#include "convert/operators/internal/builder.hpp"

#include <algorithm>
#include <cstring>

#include "compile/onnx_graph/element_type.hpp"
#include "convert/operators/internal/fold.hpp"
#include "tensor/float16.hpp"

namespace slipway::convert::operators::internal {
namespace {

using compile::onnx_graph::Attributes;
using compile::onnx_graph::Node;
using compile::onnx_graph::Value;

int element_type(ScalarType type) {
  const auto dtype = aten::dtype_of(type);
  if (!dtype) refuse("ONNX has no tensors of {}", aten::scalar_type_name(type));
  return compile::onnx_graph::element_type_of_dtype(*dtype);
}

template <typename T>
std::vector<std::byte> bytes_of(std::span<const T> values) {
  const auto bytes = std::as_bytes(values);
  return {bytes.begin(), bytes.end()};
}

template <typename T>
std::vector<std::byte> bytes_of(T value) {
  return bytes_of(std::span<const T>(&value, 1));
}

/// Rounded to the nearest, ties to even; NaN stays NaN.
std::uint16_t bfloat16_bits(float value) {
  std::uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  if (value != value) return 0x7FC0U;
  return static_cast<std::uint16_t>((bits + 0x7FFFU + ((bits >> 16U) & 1U)) >> 16U);
}

std::vector<std::byte> bytes_of_number(ScalarType type, double value) {
  switch (type) {
    case ScalarType::kFloat64:
      return bytes_of(value);
    case ScalarType::kFloat32:
      return bytes_of(static_cast<float>(value));
    case ScalarType::kFloat16:
      return bytes_of(tensor::half_from_float(static_cast<float>(value)));
    case ScalarType::kBfloat16:
      return bytes_of(bfloat16_bits(static_cast<float>(value)));
    default:
      break;
  }
  if (type == ScalarType::kBool) return bytes_of(static_cast<std::uint8_t>(value != 0));
  if (!(value > -9.2e18 && value < 9.2e18)) refuse("{} is no number of type {}", value, aten::scalar_type_name(type));
  const auto integer = static_cast<std::int64_t>(value);
  std::vector<std::byte> bytes = bytes_of(integer);
  bytes.resize(aten::scalar_type_size_bytes(type));  // little-endian: the low bytes wrap as a cast does
  return bytes;
}

/// "float32[1,4,8,8] and float32[3,1,1]"
std::string types_of(const std::vector<Tensor>& tensors) {
  std::vector<std::string> types;
  for (const Tensor& each : tensors) {
    if (each.value == nullptr && each.constant == nullptr) continue;  // an input that is left out
    types.push_back(fmt::format("{}[{}]", aten::scalar_type_name(each.dtype), fmt::join(each.shape, ",")));
  }
  return fmt::format("{}", fmt::join(types, " and "));
}

}  // namespace

Value* Builder::value_of(const Tensor& tensor) {
  if (tensor.value != nullptr) return tensor.value;
  if (tensor.constant == nullptr) return nullptr;
  Value*& value = initializers_[tensor.constant.get()];
  if (value == nullptr) {
    const std::string& name = tensor.constant->name.empty() ? name_ : tensor.constant->name;
    const compile::onnx_graph::TensorBytes bytes{element_type(tensor.dtype), tensor.shape, tensor.constant->bytes};
    // Small ones go into the model, where shape inference and compilers read them.
    constexpr std::size_t kInlineBytes = 4096;
    value = bytes.bytes.size() <= kInlineBytes ? &rewriter_.add_initializer(rewriter_.main(), name, bytes)
                                               : &rewriter_.add_initializer_view(name, bytes, tensor.constant->owner);
    retained_.push_back(tensor.constant);
  }
  return value;
}

std::vector<Tensor> Builder::add_several(const std::string& op_type, const std::vector<Tensor>& inputs,
                                         std::size_t outputs, const Attributes& attributes) {
  if (outputs == 1) {
    if (auto folded = fold(op_type, inputs, attributes)) {
      return {stored("", folded->dtype, folded->shape, folded->bytes, folded->owner)};
    }
  }
  std::vector<Value*> values;
  for (const Tensor& each : inputs) values.push_back(value_of(each));
  const Node& node =
      rewriter_.add_node(rewriter_.main(), op_type, values,
                         std::vector<std::string>(outputs, name_.empty() ? op_type : name_), attributes, name_);
  types_.add(node);
  std::vector<Tensor> given;
  for (Value* const output : node.outputs()) {
    const auto type = types_.type(*output);
    const auto dtype =
        type.element_type ? compile::onnx_graph::dtype_of_element_type(*type.element_type) : std::nullopt;
    if (!dtype || !type.shape) refuse("{} cannot be computed of {}", op_type, types_of(inputs));
    const bool is_known = std::ranges::none_of(*type.shape, [](std::int64_t size) { return size < 0; });
    if (is_known && !tensor::element_count(*type.shape)) {
      refuse("{} gives more elements than can be counted: {}", op_type, to_string(type));
    }
    given.push_back({aten::scalar_type_of(*dtype), *type.shape, output, nullptr});
  }
  return given;
}

Tensor Builder::add(const std::string& op_type, const std::vector<Tensor>& inputs, const Attributes& attributes) {
  return add_several(op_type, inputs, 1, attributes).front();
}

Tensor Builder::input(const std::string& name, ScalarType dtype, const Shape& shape,
                      const std::vector<std::string>& dimension_names) {
  Value& value = rewriter_.add_input(rewriter_.main(), name, {element_type(dtype), shape});
  if (!dimension_names.empty()) rewriter_.set_dimension_names(value, dimension_names);
  return {dtype, shape, &value, nullptr};
}

void Builder::add_output(const Tensor& tensor, const std::string& name,
                         const std::vector<std::string>& dimension_names) {
  Value* value = value_of(tensor);
  // An input, a constant or a value that is an output already needs a node of its own to be given under this name.
  if (value->producer() == nullptr || value->is_output()) {
    set_name(name);
    const Node& node = rewriter_.add_node(rewriter_.main(), "Identity", {value}, {name}, {}, name);
    value = node.outputs().front();
  }
  rewriter_.rename(*value, name);
  rewriter_.add_output(*value);
  rewriter_.set_type(*value, {element_type(tensor.dtype), tensor.shape});
  if (!dimension_names.empty()) rewriter_.set_dimension_names(*value, dimension_names);
}

Tensor Builder::stored(std::string name, ScalarType dtype, Shape shape, std::span<const std::byte> bytes,
                       std::shared_ptr<const void> owner) {
  return {dtype, std::move(shape), nullptr,
          std::make_shared<Constant>(Constant{std::move(name), bytes, std::move(owner)})};
}

Tensor Builder::constant(ScalarType dtype, Shape shape, std::vector<std::byte> bytes) {
  auto held = std::make_shared<std::vector<std::byte>>(std::move(bytes));
  return stored("", dtype, std::move(shape), *held, held);
}

Tensor Builder::integers(const std::vector<std::int64_t>& values) {
  return constant(ScalarType::kInt64, {static_cast<std::int64_t>(values.size())},
                  bytes_of(std::span<const std::int64_t>(values)));
}

Tensor Builder::integer(std::int64_t value) {
  return constant(ScalarType::kInt64, {}, bytes_of(value));
}

Tensor Builder::number(ScalarType dtype, double value) {
  return constant(dtype, {}, bytes_of_number(dtype, value));
}

Tensor Builder::number(ScalarType dtype, std::int64_t value) {
  return dtype == ScalarType::kInt64 ? integer(value) : number(dtype, static_cast<double>(value));
}

Tensor Builder::full(ScalarType dtype, Shape shape, double value) {
  const std::vector<std::byte> one = bytes_of_number(dtype, value);
  constexpr std::int64_t kMost = 1 << 26;
  const auto elements = tensor::element_count(shape);
  if (!elements || *elements > kMost) refuse("a constant of more than {} elements is not laid out", kMost);
  const auto count = static_cast<std::size_t>(*elements);
  std::vector<std::byte> bytes;
  bytes.reserve(count * one.size());
  for (std::size_t i = 0; i < count; ++i) bytes.insert(bytes.end(), one.begin(), one.end());
  return constant(dtype, std::move(shape), std::move(bytes));
}

std::optional<std::vector<std::int64_t>> integers_of(const Tensor& tensor) {
  if (tensor.constant == nullptr) return std::nullopt;
  const std::size_t size = aten::scalar_type_size_bytes(tensor.dtype);
  std::vector<std::int64_t> values;
  const auto& bytes = tensor.constant->bytes;
  for (std::size_t at = 0; at + size <= bytes.size() && size > 0; at += size) {
    std::int64_t value = 0;
    switch (tensor.dtype) {
      case ScalarType::kInt64:
        std::memcpy(&value, &bytes[at], 8);
        break;
      case ScalarType::kInt32: {
        std::int32_t narrow = 0;
        std::memcpy(&narrow, &bytes[at], 4);
        value = narrow;
        break;
      }
      case ScalarType::kBool:
      case ScalarType::kUint8:
        value = static_cast<std::uint8_t>(bytes[at]);
        break;
      default:
        return std::nullopt;
    }
    values.push_back(value);
  }
  return values;
}

std::optional<double> scalar_of(const Tensor& tensor) {
  if (tensor.constant == nullptr || tensor::element_count(tensor.shape) != 1) return std::nullopt;
  const auto& bytes = tensor.constant->bytes;
  if (tensor.dtype == ScalarType::kFloat32) {
    float value = 0;
    std::memcpy(&value, bytes.data(), sizeof value);
    return value;
  }
  if (tensor.dtype == ScalarType::kFloat64) {
    double value = 0;
    std::memcpy(&value, bytes.data(), sizeof value);
    return value;
  }
  const auto integers = integers_of(tensor);
  return integers && !integers->empty() ? std::optional(static_cast<double>(integers->front())) : std::nullopt;
}

}  // namespace slipway::convert::operators::internal
