#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace slipway::base {

inline constexpr std::string_view kUnknownContent = "bytes of no format known here";

/// What content is, as its first bytes say, in words that follow "found": "a PNG picture", "text", "an empty file". For
/// messages: what to do with a file is never decided by it.
/// @param first_bytes  some hundred are enough
[[nodiscard]] std::string_view kind_of_content(std::string_view first_bytes);

/// The same of a file; "a folder", "nothing that can be read". Of what can be read only once nothing is read.
[[nodiscard]] std::string_view kind_of_file(const std::filesystem::path& path);

}  // namespace slipway::base
