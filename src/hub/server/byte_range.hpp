#pragma once

#include <cstdint>
#include <string_view>

#include "hub/domain/ports/blob_store.hpp"

namespace slipway::hub::server {

/// What a Range header asks of a file. Several ranges and other units are answered with the whole file, as allowed.
struct RangeRequest {
  enum class Kind { kWhole, kPart, kUnsatisfiable } kind = Kind::kWhole;
  domain::ByteRange range;
};
[[nodiscard]] RangeRequest parse_range(std::string_view header, std::uint64_t file_size_bytes);

}  // namespace slipway::hub::server
