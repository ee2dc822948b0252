#pragma once

#include <string>
#include <string_view>

namespace slipway::convert::torch_export::internal {

/// An expression as SymPy writes it out ("Add(Symbol('s0', positive=True), Integer(1))", "2*Symbol('s0')") with its
/// symbols by their names alone.
[[nodiscard]] std::string readable_expression(std::string_view written);

}  // namespace slipway::convert::torch_export::internal
