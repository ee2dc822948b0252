#pragma once

#include <string>
#include <string_view>

namespace slipway::base {

/// The text with every byte that is not part of valid UTF-8 replaced by U+FFFD. Names inside models, log lines and what
/// ONNX Runtime writes of them are bytes of a stranger; JSON and protobuf strings must be UTF-8.
[[nodiscard]] std::string valid_utf8(std::string_view text);

}  // namespace slipway::base
