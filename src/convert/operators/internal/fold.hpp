#pragma once

#include <optional>
#include <string>
#include <vector>

#include "compile/onnx_graph/attribute.hpp"
#include "convert/operators/internal/operand.hpp"

namespace slipway::convert::operators::internal {

/// What a constant holds, as a new owner of its bytes.
struct Folded {
  ScalarType dtype;
  Shape shape;
  std::span<const std::byte> bytes;
  std::shared_ptr<const void> owner;
};

/// Computes a node of one output from constants: what moves elements, for any type, and arithmetic on numbers and
/// booleans. Floats are computed in double and rounded once.
/// @return  nothing when an input is no constant, or the operator, type or size is left to the runtime
[[nodiscard]] std::optional<Folded> fold(const std::string& op_type, const std::vector<Tensor>& inputs,
                                         const compile::onnx_graph::Attributes& attributes);

}  // namespace slipway::convert::operators::internal
