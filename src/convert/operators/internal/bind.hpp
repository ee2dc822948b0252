#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "convert/operators/internal/operand.hpp"
#include "convert/operators/schema.hpp"

namespace slipway::convert::operators::internal {

struct NamedOperand {
  std::string name;  ///< "" for a positional one
  Operand operand;
};

/// The arguments of a call, one for each parameter, in their order, with defaults filled in: whether the archive names
/// them or lines them up, and whichever it leaves out.
/// @param is_strict  a number does not stand for a tensor: how overloads are told apart
/// @error kInvalidArgument: too many, one that the schema lacks, one without a default left out, or one of another kind
[[nodiscard]] base::Result<Operands> bind(const Schema& schema, const std::vector<NamedOperand>& given, bool is_strict);

/// An argument that names no value.
[[nodiscard]] Operand operand_of_constant(const aten::Argument& argument);

}  // namespace slipway::convert::operators::internal
