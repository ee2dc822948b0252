#pragma once

#include <optional>
#include <string>

#include "tensor/shape.hpp"

namespace slipway::compile::onnx_graph {

/// What is known of a value; each part may be unknown by itself.
struct ValueType {
  std::optional<int> element_type;     ///< TensorProto.DataType
  std::optional<tensor::Shape> shape;  ///< nothing: the rank is unknown; -1: that size is unknown
  friend bool operator==(const ValueType&, const ValueType&) = default;
};

/// "float32[1,?,8]", "float32 of unknown rank", "a value of unknown type".
[[nodiscard]] std::string to_string(const ValueType& type);

}  // namespace slipway::compile::onnx_graph
