#include "hub/storage/files/part_record.hpp"

#include <fmt/format.h>

#include "base/text.hpp"

namespace slipway::hub::storage {
namespace {

constexpr std::string_view kJoinedAt = "joined@";

bool read_number(std::string_view text, std::uint64_t& number) {
  const auto parsed = base::parse_number<std::uint64_t>(text);
  number = parsed.value_or(0);
  return parsed.has_value();
}

}  // namespace

bool is_sha256(std::string_view text) {
  return text.size() == kShaDigits && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::string to_text(const PartRecord& part) {
  return fmt::format("{} {} {}\n", part.sha256, part.size_bytes,
                     part.separate.empty() ? fmt::format("{}{}", kJoinedAt, part.offset) : part.separate);
}

std::optional<PartRecord> part_from_text(std::string_view text) {
  if (!text.ends_with('\n')) return std::nullopt;
  text.remove_suffix(1);
  const auto first = text.find(' ');
  const auto second = first == std::string_view::npos ? first : text.find(' ', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  PartRecord part;
  part.sha256 = text.substr(0, first);
  if (!is_sha256(part.sha256) || !read_number(text.substr(first + 1, second - first - 1), part.size_bytes)) {
    return std::nullopt;
  }
  const std::string_view place = text.substr(second + 1);
  if (!place.starts_with(kJoinedAt)) {
    part.separate = place;
  } else if (!read_number(place.substr(kJoinedAt.size()), part.offset)) {
    return std::nullopt;
  }
  return part;
}

}  // namespace slipway::hub::storage
