#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "convert/aten/graph.hpp"

namespace slipway::convert::operators {

/// A parameter of an operator, as ATen's schema declares it.
struct Parameter {
  std::string type;  ///< "Tensor", "int[]", "Scalar", "ScalarType?" …
  std::string name;
  bool has_default = false;
  aten::Argument fallback;
};

/// An operator's name and parameters.
struct Schema {
  std::string name;  ///< "aten.conv2d.default"
  std::vector<Parameter> parameters;
};

/// Reads "aten.relu.default(Tensor self)". Types: Tensor, int, float, bool, Scalar, str, ScalarType, Layout, Device,
/// MemoryFormat, any; "?" may be none, "[]" is a list (one element stands for as many as are asked for).
/// @pre  it is well formed: it comes from our own table
[[nodiscard]] Schema parse_schema(std::string_view text);

}  // namespace slipway::convert::operators
