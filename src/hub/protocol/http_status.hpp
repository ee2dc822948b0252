#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"

namespace slipway::hub::protocol {

/// Who reads an answer.
enum class Reader { kOfficialClient, kOthers };

/// The HTTP status that tells about a failure. The official client shows its user the text of 400, 403, 404, 409, 413
/// and 429 only. A store that cannot be written is 507; that client answers a 507 by sending its user to Qualcomm's
/// support, and a 413 too, so it is told 409: the state of the hub stands against the request.
[[nodiscard]] int http_status(const base::Error& error, Reader reader);

/// The header that says an error's reason to other programs of ours: its value is base::reason_name.
inline constexpr std::string_view kReasonHeader = "Slipway-Reason";

/// What people are told when nothing can be stored; the error itself speaks of the server's files.
[[nodiscard]] std::string_view words_for_full_store(base::Reason reason);

/// {"detail": "…"}, the form in which the client expects words.
[[nodiscard]] std::string error_body(std::string_view detail);

/// The reason phrase of a status: the client shows it where a storage upload fails.
[[nodiscard]] std::string_view reason_phrase(int status);

}  // namespace slipway::hub::protocol
