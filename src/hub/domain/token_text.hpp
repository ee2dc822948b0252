#pragma once

#include <string>
#include <string_view>

namespace slipway::hub::domain {

/// "slw_", the secret's 32 letters and digits, and 6 that check them (CRC-32 in base 62), so that a scanner for leaked
/// secrets knows a token without asking anyone, and a mistyped one is refused before any look-up.
[[nodiscard]] std::string token_text(std::string_view secret);

[[nodiscard]] bool is_token_text(std::string_view text);

}  // namespace slipway::hub::domain
