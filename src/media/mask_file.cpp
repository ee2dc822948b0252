#include "media/mask_file.hpp"

#include <optional>
#include <span>
#include <string>

#include "base/files.hpp"
#include "media/internal/codecs.hpp"

namespace slipway::media {

base::Result<Mask> read_mask(const std::filesystem::path& path, const ImageLimits& limits) {
  SLIPWAY_ASSIGN(const std::string content, base::read_file(path, limits.max_file_bytes));
  const auto bytes = std::as_bytes(std::span(content));
  if (content.starts_with("\x89PNG")) {
    auto own = internal::decode_png_mask(bytes, limits);
    if (!own) return std::unexpected(own.error().with(path.string()));
    if (*own) return std::move(**own);
  }
  SLIPWAY_ASSIGN(const Image image, decode_image(bytes, path.string(), limits));
  constexpr int kGrey = 127;
  const int darkest = content.starts_with("\xFF\xD8") ? kGrey : 0;
  Mask mask{image.width(), image.height(), {}};
  for (int y = 0; y < image.height(); ++y) {
    const std::uint8_t* pixel = image.row(y);
    for (int x = 0; x < image.width(); ++x, pixel += 3) {
      mask.inside.push_back(pixel[0] > darkest || pixel[1] > darkest || pixel[2] > darkest ? 1 : 0);
    }
  }
  return mask;
}

}  // namespace slipway::media
