#include "pipelines/common/real_values.hpp"

namespace slipway::pipelines {

bool is_quantized_dtype(tensor::Dtype dtype) {
  return dtype == tensor::Dtype::kUint8 || dtype == tensor::Dtype::kInt8 || dtype == tensor::Dtype::kUint16 ||
         dtype == tensor::Dtype::kInt16;
}

base::Result<RealValues> RealValues::over(const tensor::Tensor& tensor,
                                          const std::optional<tensor::Quantization>& quantization,
                                          std::string_view name) {
  RealValues values;
  values.data_ = tensor.bytes().data();
  values.dtype_ = tensor.dtype();
  if (tensor.dtype() == tensor::Dtype::kFloat32 || tensor.dtype() == tensor::Dtype::kFloat16) return values;
  if (!is_quantized_dtype(tensor.dtype())) {
    return base::fail(base::Code::kInvalidArgument,
                      "output '{}': expected float32, float16, uint8, int8, uint16 or int16, found {}", name,
                      tensor::dtype_name(tensor.dtype()));
  }
  if (!quantization) {
    return base::fail(base::Code::kInvalidArgument,
                      "output '{}' is {}: its scale and zero point are needed (model.yaml beside the model says them)",
                      name, tensor::dtype_name(tensor.dtype()));
  }
  values.scale_ = quantization->scale;
  values.zero_point_ = static_cast<float>(quantization->zero_point);
  return values;
}

RealValues RealValues::from(std::size_t first) const {
  RealValues rest = *this;
  rest.data_ = static_cast<const std::byte*>(data_) + first * tensor::dtype_size_bytes(dtype_);
  return rest;
}

}  // namespace slipway::pipelines
