#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"

namespace slipway::hub::protocol {

/// The HTTP status that tells the official client about a failure. It shows the text of 400, 403, 404, 409, 413 and
/// 429; any other refusal (422 …) would reach its user without words.
[[nodiscard]] int http_status(base::Code code);

/// {"detail": "…"}, the form in which the client expects words.
[[nodiscard]] std::string error_body(std::string_view detail);

/// The reason phrase of a status: the client shows it where a storage upload fails.
[[nodiscard]] std::string_view reason_phrase(int status);

}  // namespace slipway::hub::protocol
