#include "media/image_file.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "base/files.hpp"
#include "base/text.hpp"
#include "media/internal/codecs.hpp"

namespace slipway::media {
namespace {

using internal::Bytes;

bool starts_with(Bytes bytes, std::string_view magic, std::size_t offset = 0) {
  return bytes.size() >= offset + magic.size() && std::memcmp(bytes.data() + offset, magic.data(), magic.size()) == 0;
}

base::Result<internal::Stored> decode_stored(Bytes bytes, const ImageLimits& limits) {
  using namespace std::string_view_literals;
  if (starts_with(bytes, "\xFF\xD8\xFF"sv)) return internal::decode_jpeg(bytes, limits);
  if (starts_with(bytes, "\x89PNG\r\n\x1A\n"sv)) return internal::decode_png(bytes, limits);
  if (starts_with(bytes, "RIFF"sv) && starts_with(bytes, "WEBP"sv, 8)) return internal::decode_webp(bytes, limits);
  if (starts_with(bytes, "BM"sv)) return internal::decode_bmp(bytes, limits);
  if (starts_with(bytes, "GIF87a"sv) || starts_with(bytes, "GIF89a"sv)) return internal::decode_gif(bytes, limits);
  return base::fail(
      base::Code::kInvalidArgument, "expected a JPEG, PNG, WebP, BMP or GIF picture, found {}",
      bytes.empty() ? "an empty file" : fmt::format("{} bytes that begin like none of them", bytes.size()));
}

/// Numbers of a TIFF block in its own byte order; nothing beyond its end.
class TiffReader {
 public:
  explicit TiffReader(Bytes bytes) : bytes_(bytes), big_endian_(starts_with(bytes, "MM")) {}

  [[nodiscard]] std::optional<std::uint32_t> number(std::size_t offset, std::size_t width) const {
    if (offset > bytes_.size() || bytes_.size() - offset < width) return std::nullopt;
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < width; ++i) {
      const std::size_t at = big_endian_ ? offset + i : offset + width - 1 - i;
      value = value << 8 | std::to_integer<std::uint32_t>(bytes_[at]);
    }
    return value;
  }

 private:
  Bytes bytes_;
  bool big_endian_;
};

}  // namespace

namespace internal {

base::Result<void> check_size(std::int64_t width, std::int64_t height, const ImageLimits& limits) {
  if (width < 1 || height < 1) {
    return base::fail(base::Code::kInvalidArgument, "its header says {}x{} pixels: both sides must be 1 or more", width,
                      height);
  }
  if (width > limits.max_pixels / height || width > 0xFFFFFF || height > 0xFFFFFF) {
    return base::fail(
        base::Code::kResourceExhausted,
        "{}x{} pixels are more than the limit of {} pixels: raise the limit (--max-pixels) or use a smaller picture",
        width, height, limits.max_pixels);
  }
  return {};
}

}  // namespace internal

Orientation exif_orientation(std::span<const std::byte> tiff) {
  constexpr std::uint32_t kOrientationTag = 0x0112;
  constexpr std::size_t kEntryBytes = 12;
  using namespace std::string_view_literals;
  if (!starts_with(tiff, "II*\0"sv) && !starts_with(tiff, "MM\0*"sv)) return Orientation::kUpright;
  const TiffReader reader(tiff);
  const auto directory = reader.number(4, 4);
  const auto count = directory ? reader.number(*directory, 2) : std::nullopt;
  for (std::size_t entry = 0; count && entry < *count; ++entry) {
    const std::size_t at = *directory + 2 + entry * kEntryBytes;
    const auto tag = reader.number(at, 2);
    if (!tag) break;
    if (*tag != kOrientationTag) continue;
    const auto value = reader.number(at + 8, 2);
    if (value && *value >= 1 && *value <= 8) return static_cast<Orientation>(*value);
    break;
  }
  return Orientation::kUpright;
}

base::Result<Image> decode_image(std::span<const std::byte> bytes, std::string_view name, const ImageLimits& limits) {
  auto stored = decode_stored(bytes, limits);
  if (!stored) return std::unexpected(stored.error().with(name));
  auto image = upright(std::move(stored->image), stored->orientation);
  if (!image) return std::unexpected(image.error().with(name));
  return image;
}

base::Result<Image> read_image(const std::filesystem::path& path, const ImageLimits& limits) {
  SLIPWAY_ASSIGN(const std::string content, base::read_file(path, limits.max_file_bytes));
  return decode_image(std::as_bytes(std::span(content)), path.string(), limits);
}

base::Result<void> write_image(const std::filesystem::path& path, ImageView image) {
  const std::string ending = base::lowered(path.extension().string());
  base::Result<std::string> encoded;
  if (ending == ".png") {
    encoded = encode_png(image);
  } else if (ending == ".jpg" || ending == ".jpeg") {
    encoded = encode_jpeg(image);
  } else {
    return base::fail(base::Code::kInvalidArgument, "{}: expected a name that ends in .png, .jpg or .jpeg",
                      path.string());
  }
  if (!encoded) return std::unexpected(encoded.error().with(path.string()));
  return base::write_file_durably(path, *encoded);
}

bool has_image_ending(const std::filesystem::path& path) {
  constexpr std::array<std::string_view, 6> kEndings = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif"};
  return std::ranges::find(kEndings, base::lowered(path.extension().string())) != kEndings.end();
}

}  // namespace slipway::media
