#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace slipway::hub::storage {

inline constexpr std::size_t kShaDigits = 64;
[[nodiscard]] bool is_sha256(std::string_view text);

/// What is known of a received part, and of an assembled upload.
struct PartRecord {
  std::string sha256;
  std::uint64_t size_bytes = 0;
  std::string separate;      ///< file name; empty: in the joined file
  std::uint64_t offset = 0;  ///< in the joined file
};

/// One line: "SHA-256 size place".
[[nodiscard]] std::string to_text(const PartRecord& part);
/// Nothing: it is no such line, or was cut off.
[[nodiscard]] std::optional<PartRecord> part_from_text(std::string_view text);
/// The most that a file with a record may hold.
inline constexpr std::uint64_t kRecordLimitBytes = 4096;

}  // namespace slipway::hub::storage
