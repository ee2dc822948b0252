#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "tensor/shape.hpp"

namespace slipway::compile::onnx_graph {

/// The elements of a tensor as they lie in memory, not owned: little-endian, packed where an element is below a byte.
struct TensorBytes {
  int element_type = 0;  ///< TensorProto.DataType; element_type_of_dtype() for ours, 21 and 22 for uint4 and int4
  tensor::Shape shape;
  std::span<const std::byte> bytes;
};

/// What an attribute holds. Inner graphs are made by Rewriter::add_inner_graph().
using AttributeValue = std::variant<std::int64_t, float, std::string, std::vector<std::int64_t>, std::vector<float>,
                                    std::vector<std::string>, TensorBytes>;
using Attributes = std::vector<std::pair<std::string, AttributeValue>>;

}  // namespace slipway::compile::onnx_graph
