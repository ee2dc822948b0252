#pragma once

#include <string>
#include <string_view>

namespace slipway::hub::protocol {

/// The text with every byte that is not part of valid UTF-8 replaced by U+FFFD. Protobuf strings and JSON must be
/// UTF-8; names of tensors and log lines come from strangers and need not be.
[[nodiscard]] std::string wire_text(std::string_view text);

}  // namespace slipway::hub::protocol
