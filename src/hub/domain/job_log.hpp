#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace slipway::hub::domain {

/// The most that is kept of one job's log.
inline constexpr std::size_t kLogLimitBytes = 4U << 20;

/// What a store appends to a log: nothing once the limit has been passed.
struct LogPiece {
  std::string text;
  std::size_t total_bytes = 0;  ///< of the log with this piece; beyond the limit when it was cut
};

/// @param total_bytes  of the log so far, as the last piece said
[[nodiscard]] LogPiece next_log_piece(std::size_t total_bytes, std::string_view text);

}  // namespace slipway::hub::domain
