#include "compile/onnx_graph/element_type.hpp"

#include <array>

#include <fmt/format.h>
#include <onnx.pb.h>

#include "compile/onnx_graph/value_type.hpp"

namespace slipway::compile::onnx_graph {
namespace {

struct Row {
  int element_type;
  tensor::Dtype dtype;
};

constexpr std::array kRows = {
    Row{onnx::TensorProto::FLOAT, tensor::Dtype::kFloat32},  Row{onnx::TensorProto::FLOAT16, tensor::Dtype::kFloat16},
    Row{onnx::TensorProto::DOUBLE, tensor::Dtype::kFloat64}, Row{onnx::TensorProto::BFLOAT16, tensor::Dtype::kBfloat16},
    Row{onnx::TensorProto::BOOL, tensor::Dtype::kBool},      Row{onnx::TensorProto::INT8, tensor::Dtype::kInt8},
    Row{onnx::TensorProto::INT16, tensor::Dtype::kInt16},    Row{onnx::TensorProto::INT32, tensor::Dtype::kInt32},
    Row{onnx::TensorProto::INT64, tensor::Dtype::kInt64},    Row{onnx::TensorProto::UINT8, tensor::Dtype::kUint8},
    Row{onnx::TensorProto::UINT16, tensor::Dtype::kUint16},  Row{onnx::TensorProto::UINT32, tensor::Dtype::kUint32},
    Row{onnx::TensorProto::UINT64, tensor::Dtype::kUint64},
};

}  // namespace

std::optional<tensor::Dtype> dtype_of_element_type(int element_type) {
  for (const Row& row : kRows) {
    if (row.element_type == element_type) return row.dtype;
  }
  return std::nullopt;
}

int element_type_of_dtype(tensor::Dtype dtype) {
  for (const Row& row : kRows) {
    if (row.dtype == dtype) return row.element_type;
  }
  return onnx::TensorProto::UNDEFINED;
}

std::string element_type_name(int element_type) {
  if (const auto dtype = dtype_of_element_type(element_type)) return std::string(tensor::dtype_name(*dtype));
  if (element_type == onnx::TensorProto::STRING) return "string";
  return fmt::format("type {}", element_type);
}

std::string to_string(const ValueType& type) {
  if (!type.element_type) return "a value of unknown type";
  const std::string name = element_type_name(*type.element_type);
  if (!type.shape) return name + " of unknown rank";
  std::string sizes;
  for (const std::int64_t size : *type.shape) {
    sizes += (sizes.empty() ? "" : ",") + (size < 0 ? "?" : std::to_string(size));
  }
  return fmt::format("{}[{}]", name, sizes);
}

std::optional<int> element_size_bits(int element_type) {
  if (const auto dtype = dtype_of_element_type(element_type)) {
    return static_cast<int>(tensor::dtype_size_bytes(*dtype)) * 8;
  }
  // By number where older versions of onnx.proto lack the name.
  switch (element_type) {
    case onnx::TensorProto::COMPLEX64:
      return 64;
    case onnx::TensorProto::COMPLEX128:
      return 128;
    case 17:  // FLOAT8E4M3FN
    case 18:  // FLOAT8E4M3FNUZ
    case 19:  // FLOAT8E5M2
    case 20:  // FLOAT8E5M2FNUZ
    case 24:  // FLOAT8E8M0
      return 8;
    case 21:  // UINT4
    case 22:  // INT4
    case 23:  // FLOAT4E2M1
      return 4;
    case 25:  // UINT2
    case 26:  // INT2
      return 2;
    default:
      return std::nullopt;
  }
}

std::optional<std::uint64_t> tensor_size_bytes(const onnx::TensorProto& tensor) {
  const auto bits = element_size_bits(tensor.data_type());
  if (!bits) return std::nullopt;
  std::int64_t total_bits = *bits;
  for (const std::int64_t size : tensor.dims()) {
    if (size < 0 || __builtin_mul_overflow(total_bits, size, &total_bits)) return std::nullopt;
  }
  return (static_cast<std::uint64_t>(total_bits) + 7) / 8;
}

}  // namespace slipway::compile::onnx_graph
