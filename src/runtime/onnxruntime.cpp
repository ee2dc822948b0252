#include "runtime/onnxruntime.hpp"

#include <array>

namespace slipway::runtime {
namespace {

struct TypeRow {
  tensor::Dtype dtype;
  ONNXTensorElementDataType type;
};

constexpr std::array kTypes = {
    TypeRow{tensor::Dtype::kFloat16, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16},
    TypeRow{tensor::Dtype::kFloat32, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT},
    TypeRow{tensor::Dtype::kBool, ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL},
    TypeRow{tensor::Dtype::kInt8, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8},
    TypeRow{tensor::Dtype::kInt16, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT16},
    TypeRow{tensor::Dtype::kInt32, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32},
    TypeRow{tensor::Dtype::kInt64, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64},
    TypeRow{tensor::Dtype::kUint8, ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8},
    TypeRow{tensor::Dtype::kUint16, ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT16},
    TypeRow{tensor::Dtype::kFloat64, ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE},
    TypeRow{tensor::Dtype::kUint32, ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT32},
    TypeRow{tensor::Dtype::kUint64, ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT64},
    TypeRow{tensor::Dtype::kBfloat16, ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16},
};

base::Code code_of(OrtErrorCode code) {
  switch (code) {
    case ORT_INVALID_ARGUMENT:
    case ORT_INVALID_PROTOBUF:
    case ORT_INVALID_GRAPH:
    case ORT_NO_MODEL:
      return base::Code::kInvalidArgument;
    case ORT_NO_SUCHFILE:
      return base::Code::kNotFound;
    case ORT_NOT_IMPLEMENTED:
      return base::Code::kUnimplemented;
    case ORT_MODEL_LOAD_CANCELED:
      return base::Code::kCancelled;
    default:
      return base::Code::kInternal;
  }
}

}  // namespace

base::Error error_of(const Ort::Exception& exception, std::string_view what) {
  return {code_of(exception.GetOrtErrorCode()), fmt::format("{}: {}", what, exception.what())};
}

ONNXTensorElementDataType onnx_type_of(tensor::Dtype dtype) {
  for (const TypeRow& row : kTypes) {
    if (row.dtype == dtype) return row.type;
  }
  return ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
}

std::optional<tensor::Dtype> dtype_of(ONNXTensorElementDataType type) {
  for (const TypeRow& row : kTypes) {
    if (row.type == type) return row.dtype;
  }
  return std::nullopt;
}

Ort::Value value_over(const tensor::Tensor& tensor) {
  const auto memory = Ort::MemoryInfo::CreateCpu(OrtDeviceAllocator, OrtMemTypeCPU);
  // ONNX Runtime takes a mutable pointer for inputs and outputs alike; inputs are only read.
  return Ort::Value::CreateTensor(memory, const_cast<std::byte*>(tensor.bytes().data()), tensor.size_bytes(),
                                  tensor.shape().data(), tensor.shape().size(), onnx_type_of(tensor.dtype()));
}

base::Result<tensor::Tensor> tensor_from(const Ort::Value& value) {
  if (!value.IsTensor()) {
    return base::fail(base::Code::kUnimplemented, "it is a sequence, map or optional; only tensors are supported");
  }
  const auto info = value.GetTensorTypeAndShapeInfo();
  const auto dtype = dtype_of(info.GetElementType());
  if (!dtype) {
    return base::fail(base::Code::kUnimplemented, "its element type ({}) is not supported",
                      static_cast<int>(info.GetElementType()));
  }
  const std::size_t size = info.GetElementCount() * tensor::dtype_size_bytes(*dtype);
  return tensor::Tensor::copy_of(*dtype, info.GetShape(),
                                 {static_cast<const std::byte*>(value.GetTensorRawData()), size});
}

}  // namespace slipway::runtime
