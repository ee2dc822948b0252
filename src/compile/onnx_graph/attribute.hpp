#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "tensor/shape.hpp"

namespace onnx {
class AttributeProto;
class TensorProto;
}  // namespace onnx

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

/// Adds type, shape and a copy of the elements to an empty tensor.
void write_tensor(onnx::TensorProto& tensor, const TensorBytes& bytes);

/// Replaces what an attribute holds; its name stays.
void write_attribute(onnx::AttributeProto& attribute, const AttributeValue& value);

}  // namespace slipway::compile::onnx_graph
