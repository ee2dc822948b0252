#include "media/internal/orientation.hpp"

#include <cstring>
#include <optional>
#include <string_view>

namespace slipway::media {
namespace internal {
namespace {

using namespace std::string_view_literals;

constexpr std::uint32_t kOrientationTag = 0x0112;
constexpr std::size_t kEntryBytes = 12;
constexpr std::uint32_t kByte = 1, kShort = 3, kLong = 4, kUndefined = 7;  // types of values

bool starts_with(Bytes bytes, std::string_view magic) {
  return bytes.size() >= magic.size() && std::memcmp(bytes.data(), magic.data(), magic.size()) == 0;
}

/// Numbers of a TIFF block in its own byte order; nothing beyond its end.
class TiffReader {
 public:
  explicit TiffReader(Bytes bytes) : bytes_(bytes), big_endian_(starts_with(bytes, "MM"sv)) {}

  [[nodiscard]] std::optional<std::uint32_t> number(std::size_t offset, std::size_t width) const {
    if (offset > bytes_.size() || bytes_.size() - offset < width) return std::nullopt;
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < width; ++i) {
      const std::size_t at = big_endian_ ? offset + i : offset + width - 1 - i;
      value = value << 8 | std::to_integer<std::uint32_t>(bytes_[at]);
    }
    return value;
  }

  /// Where the entry of a tag stands in the first directory.
  [[nodiscard]] std::optional<std::size_t> entry_of(std::uint32_t wanted) const {
    if (!starts_with(bytes_, "II*\0"sv) && !starts_with(bytes_, "MM\0*"sv)) return std::nullopt;
    const auto directory = number(4, 4);
    const auto count = directory ? number(*directory, 2) : std::nullopt;
    for (std::size_t entry = 0; count && entry < *count; ++entry) {
      const std::size_t at = *directory + 2 + entry * kEntryBytes;
      const auto tag = number(at, 2);
      if (!tag) break;
      if (*tag == wanted) return at;
    }
    return std::nullopt;
  }

 private:
  Bytes bytes_;
  bool big_endian_;
};

/// The digit of tiff:Orientation="6" or <tiff:Orientation>6<.
std::optional<std::uint32_t> xmp_orientation(Bytes xmp) {
  const std::string_view text(reinterpret_cast<const char*>(xmp.data()), xmp.size());
  constexpr std::string_view kName = "tiff:Orientation";
  for (std::size_t at = text.find(kName); at != std::string_view::npos; at = text.find(kName, at + 1)) {
    std::string_view rest = text.substr(at + kName.size());
    if (rest.starts_with("=\""sv) || rest.starts_with("='"sv)) {
      rest.remove_prefix(2);
    } else if (rest.starts_with('>')) {
      rest.remove_prefix(1);
    } else {
      continue;
    }
    if (!rest.empty() && rest[0] >= '0' && rest[0] <= '9') return static_cast<std::uint32_t>(rest[0] - '0');
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::uint32_t> tiff_number(Bytes tiff, std::uint32_t tag) {
  const TiffReader reader(tiff);
  const auto entry = reader.entry_of(tag);
  const auto type = entry ? reader.number(*entry + 2, 2) : std::nullopt;
  if (!type) return std::nullopt;
  if (*type == kLong) return reader.number(*entry + 8, 4);
  if (*type == kShort) return reader.number(*entry + 8, 2);
  if (*type == kByte) return reader.number(*entry + 8, 1);
  return std::nullopt;
}

std::vector<std::uint32_t> tiff_numbers(Bytes tiff, std::uint32_t tag) {
  const TiffReader reader(tiff);
  const auto entry = reader.entry_of(tag);
  const auto type = entry ? reader.number(*entry + 2, 2) : std::nullopt;
  const auto count = entry ? reader.number(*entry + 4, 4) : std::nullopt;
  if (!type || (*type != kShort && *type != kLong) || !count) return {};
  const std::size_t width = *type == kShort ? 2 : 4;
  // What fits into the entry stands there.
  const auto place =
      *count * width <= 4 ? std::optional(static_cast<std::uint32_t>(*entry + 8)) : reader.number(*entry + 8, 4);
  if (!place || *place > tiff.size() || *count > (tiff.size() - *place) / width) return {};
  std::vector<std::uint32_t> values;
  for (std::size_t i = 0; i < *count; ++i) values.push_back(reader.number(*place + i * width, width).value_or(0));
  return values;
}

Bytes tiff_bytes(Bytes tiff, std::uint32_t tag) {
  const TiffReader reader(tiff);
  const auto entry = reader.entry_of(tag);
  const auto type = entry ? reader.number(*entry + 2, 2) : std::nullopt;
  const auto count = entry ? reader.number(*entry + 4, 4) : std::nullopt;
  const auto offset = entry ? reader.number(*entry + 8, 4) : std::nullopt;
  if (!type || (*type != kByte && *type != kUndefined) || !count || !offset) return {};
  if (*offset > tiff.size() || *count > tiff.size() - *offset) return {};
  return tiff.subspan(*offset, *count);
}

Orientation orientation_of(const Notes& notes) {
  // Some writers put JPEG's mark before the TIFF block where none belongs.
  const Bytes tiff = starts_with(notes.exif, "Exif\0"sv) && notes.exif.size() > 6 ? notes.exif.subspan(6) : notes.exif;
  auto value = tiff_number(tiff, kOrientationTag);
  if (!value) value = xmp_orientation(notes.xmp);
  return value && *value >= 1 && *value <= 8 ? static_cast<Orientation>(*value) : Orientation::kUpright;
}

}  // namespace internal

Orientation exif_orientation(std::span<const std::byte> tiff) {
  return internal::orientation_of({.exif = tiff, .xmp = {}});
}

}  // namespace slipway::media
