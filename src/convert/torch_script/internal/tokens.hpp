#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace slipway::convert::torch_script::internal {

struct Token {
  enum class Kind { kName, kInteger, kReal, kText, kSign, kNewLine, kIndent, kDedent, kEnd };
  Kind kind = Kind::kEnd;
  int line = 0;
  std::string text;  ///< of a text: unescaped
};

/// Cuts code into tokens as Python does: lines end where no bracket is open.
/// @error kInvalidArgument: a character, an indentation or an escape that Python does not have (the line is named)
[[nodiscard]] base::Result<std::vector<Token>> tokens_of(std::string_view code);

}  // namespace slipway::convert::torch_script::internal
