#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"

namespace slipway::hub::protocol {

/// Who reads an answer.
enum class Reader { kOfficialClient, kOthers };

/// The HTTP status that tells about a failure. The official client shows its user the text of 400, 403, 404, 409, 413
/// and 429 only, and sends its user to Qualcomm's support at a 413 and at what it shows no text of. So it is told 400
/// where others are told 413 (a limit of this hub), and 409 where they are told 507 (a store that cannot be written).
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
