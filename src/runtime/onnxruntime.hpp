#pragma once

// The one place that includes ONNX Runtime's C++ face. Internal to runtime/: no public header includes it.

#define ORT_API_MANUAL_INIT
#include <onnxruntime_cxx_api.h>
#undef ORT_API_MANUAL_INIT

#include <optional>
#include <string>
#include <string_view>

#include "base/guarded.hpp"
#include "tensor/tensor.hpp"

namespace slipway::runtime {

/// The first with plug-in providers, whose calls are the newest that runtime/ uses beside those of assignment.cpp.
inline constexpr int kOldestApi = 22;

/// Turns what ONNX Runtime throws into an Error; `what` says what was being done.
[[nodiscard]] base::Error error_of(const Ort::Exception& exception, std::string_view what);

/// The same as base::guarded for a function that uses ONNX Runtime.
template <typename Function>
auto guarded(std::string_view what, Function&& function) -> decltype(function()) {
  return base::guarded(what, [&]() -> decltype(function()) {
    try {
      return function();
    } catch (const Ort::Exception& exception) {
      return std::unexpected(error_of(exception, what));
    }
  });
}

/// ONNX Runtime's element type of a dtype and back; nothing for strings, complex and sub-byte types.
[[nodiscard]] ONNXTensorElementDataType onnx_type_of(tensor::Dtype dtype);
[[nodiscard]] std::optional<tensor::Dtype> dtype_of(ONNXTensorElementDataType type);

/// A view of a tensor's memory as ONNX Runtime's value; the tensor must outlive it.
[[nodiscard]] Ort::Value value_over(const tensor::Tensor& tensor);

/// A copy of a value that lies in CPU memory.
[[nodiscard]] base::Result<tensor::Tensor> tensor_from(const Ort::Value& value);

}  // namespace slipway::runtime
