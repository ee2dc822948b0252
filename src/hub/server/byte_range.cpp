#include "hub/server/byte_range.hpp"

#include <algorithm>
#include <optional>

#include "base/text.hpp"

namespace slipway::hub::server {
namespace {

/// A number of digits alone, as RFC 9110 has them; what 64 bits do not hold lies beyond the end of any file.
std::optional<std::uint64_t> number_of(std::string_view digits) {
  const bool is_number = !digits.empty() && std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; });
  if (!is_number) return std::nullopt;
  return base::parse_number<std::uint64_t>(digits).value_or(UINT64_MAX);
}

}  // namespace

RangeRequest parse_range(std::string_view header, std::uint64_t file_size_bytes) {
  using Kind = RangeRequest::Kind;
  const RangeRequest whole{Kind::kWhole, {0, file_size_bytes}};
  constexpr std::string_view kUnit = "bytes=";
  if (!header.starts_with(kUnit) || header.find(',') != std::string_view::npos) return whole;
  header.remove_prefix(kUnit.size());
  const std::size_t dash = header.find('-');
  if (dash == std::string_view::npos) return whole;
  const std::string_view first_text = header.substr(0, dash), last_text = header.substr(dash + 1);
  if (first_text.empty()) {
    const auto count = number_of(last_text);
    if (!count) return whole;
    if (*count == 0 || file_size_bytes == 0) return {Kind::kUnsatisfiable, {}};
    const std::uint64_t size = std::min(*count, file_size_bytes);
    return {Kind::kPart, {file_size_bytes - size, size}};
  }
  const auto first = number_of(first_text);
  const auto last = last_text.empty() ? std::optional<std::uint64_t>(UINT64_MAX) : number_of(last_text);
  if (!first || !last || *last < *first) return whole;
  if (*first >= file_size_bytes) return {Kind::kUnsatisfiable, {}};
  return {Kind::kPart, {*first, std::min(*last, file_size_bytes - 1) - *first + 1}};
}

}  // namespace slipway::hub::server
