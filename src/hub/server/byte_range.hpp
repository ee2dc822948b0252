#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace slipway::hub::server {

struct ByteRange {
  std::uint64_t first = 0, size_bytes = 0;
};

/// What a Range header asks of a file. Several ranges and other units are answered with the whole file, as allowed.
struct RangeRequest {
  enum class Kind { kWhole, kPart, kUnsatisfiable } kind = Kind::kWhole;
  ByteRange range;
};
[[nodiscard]] RangeRequest parse_range(std::string_view header, std::uint64_t file_size_bytes);

}  // namespace slipway::hub::server
