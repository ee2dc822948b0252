// Images come from strangers: any bytes give pixels or an error, within the limit of pixels.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "media/image_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::int64_t kMostPixels = 1 << 18;
  const auto image =
      slipway::media::decode_image(std::as_bytes(std::span(data, size)), "input", {.max_pixels = kMostPixels});
  if (image && std::int64_t{image->width()} * image->height() > kMostPixels) std::abort();
  return 0;
}
