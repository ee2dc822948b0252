#include "media/image_file.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/file_kind.hpp"
#include "base/files.hpp"
#include "base/machine_memory.hpp"
#include "base/text.hpp"
#include "media/internal/codecs.hpp"

namespace slipway::media {
namespace {

using internal::Bytes;

bool starts_with(Bytes bytes, std::string_view magic, std::size_t offset = 0) {
  return bytes.size() >= offset + magic.size() && std::memcmp(bytes.data() + offset, magic.data(), magic.size()) == 0;
}

/// Whether a name stands in the first bytes.
bool holds(Bytes bytes, std::string_view name) {
  constexpr std::size_t kHead = 64;
  const Bytes head = bytes.first(std::min(bytes.size(), kHead));
  return std::string_view(reinterpret_cast<const char*>(head.data()), head.size()).find(name) != std::string_view::npos;
}

bool is_tiff(Bytes bytes) {
  using namespace std::string_view_literals;
  return starts_with(bytes, "II*\0"sv) || starts_with(bytes, "MM\0*"sv);
}

bool is_avif(Bytes bytes) {
  return starts_with(bytes, "ftypavif", 4) || starts_with(bytes, "ftypavis", 4) ||
         // Some writers name the format of all such files first, and AVIF among those that it is compatible with.
         ((starts_with(bytes, "ftypmif1", 4) || starts_with(bytes, "ftypmsf1", 4)) && holds(bytes, "avif"));
}

base::Result<internal::Stored> decode_stored(Bytes bytes, const ImageLimits& limits) {
  using namespace std::string_view_literals;
  if (starts_with(bytes, "\xFF\xD8\xFF"sv)) return internal::decode_jpeg(bytes, limits);
  if (starts_with(bytes, "\x89PNG\r\n\x1A\n"sv)) return internal::decode_png(bytes, limits);
  if (starts_with(bytes, "RIFF"sv) && starts_with(bytes, "WEBP"sv, 8)) return internal::decode_webp(bytes, limits);
  if (starts_with(bytes, "BM"sv)) return internal::decode_bmp(bytes, limits);
  if (starts_with(bytes, "GIF87a"sv) || starts_with(bytes, "GIF89a"sv)) return internal::decode_gif(bytes, limits);
  if (is_tiff(bytes)) return internal::decode_tiff(bytes, limits);
  if (is_avif(bytes)) return internal::decode_avif(bytes, limits);
  constexpr std::size_t kEnough = 512;
  const Bytes first = bytes.first(std::min(bytes.size(), kEnough));
  return base::fail(base::Code::kInvalidArgument,
                    "expected a JPEG, PNG, WebP, BMP, GIF, TIFF or AVIF picture, found {}",
                    base::kind_of_content({reinterpret_cast<const char*>(first.data()), first.size()}));
}

}  // namespace

namespace internal {

bool needs_whole_file(Bytes head) {
  return is_tiff(head) || is_avif(head);
}

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
  // As RGB, and once more while it is decoded and turned.
  constexpr std::uint64_t kBytesPerPixel = std::uint64_t{2} * 3;
  return base::check_memory(kBytesPerPixel * static_cast<std::uint64_t>(width) * static_cast<std::uint64_t>(height),
                            [&] { return fmt::format("{}x{} pixels", width, height); });
}

}  // namespace internal

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

bool can_write_image(const std::filesystem::path& path) {
  const std::string ending = base::lowered(path.extension().string());
  return ending == ".png" || ending == ".jpg" || ending == ".jpeg";
}

bool has_image_ending(const std::filesystem::path& path) {
  constexpr std::array<std::string_view, 9> kEndings = {".jpg", ".jpeg", ".png",  ".webp", ".bmp",
                                                        ".gif", ".tif",  ".tiff", ".avif"};
  return std::ranges::find(kEndings, base::lowered(path.extension().string())) != kEndings.end();
}

}  // namespace slipway::media
