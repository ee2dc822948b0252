#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tensor/dtype.hpp"

namespace onnx {
class TensorProto;
}

namespace slipway::compile::onnx_graph {

/// Our dtype for a TensorProto.DataType number; nothing for strings, complex numbers and the types below one byte.
[[nodiscard]] std::optional<tensor::Dtype> dtype_of_element_type(int element_type);

/// The TensorProto.DataType number of a dtype.
[[nodiscard]] int element_type_of_dtype(tensor::Dtype dtype);

/// For messages: "float32", "string", "type 99".
[[nodiscard]] std::string element_type_name(int element_type);

/// Bits of one element, 4 for int4 and so on; nothing for strings and unknown types.
[[nodiscard]] std::optional<int> element_size_bits(int element_type);

/// Bytes that the elements of a tensor take in raw form; nothing when a dimension is negative, the product leaves 62
/// bits, or the type has no fixed size.
[[nodiscard]] std::optional<std::uint64_t> tensor_size_bytes(const onnx::TensorProto& tensor);

}  // namespace slipway::compile::onnx_graph
