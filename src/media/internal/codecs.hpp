#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "media/image_file.hpp"
#include "media/mask_file.hpp"

// One function a foreign decoder; decode_image picks. Private to media/.
namespace slipway::media::internal {

using Bytes = std::span<const std::byte>;

/// A decoded image that may still lie on its side.
struct Stored {
  Image image;
  Orientation orientation = Orientation::kUpright;
};

[[nodiscard]] base::Result<Stored> decode_jpeg(Bytes bytes, const ImageLimits& limits);  ///< libjpeg-turbo
[[nodiscard]] base::Result<Stored> decode_webp(Bytes bytes, const ImageLimits& limits);  ///< libwebp
[[nodiscard]] base::Result<Stored> decode_png(Bytes bytes, const ImageLimits& limits);   ///< libavcodec
[[nodiscard]] base::Result<Stored> decode_bmp(Bytes bytes, const ImageLimits& limits);   ///< libavcodec
[[nodiscard]] base::Result<Stored> decode_gif(Bytes bytes, const ImageLimits& limits);   ///< libavcodec
[[nodiscard]] base::Result<Stored> decode_tiff(Bytes bytes, const ImageLimits& limits);  ///< libavcodec
[[nodiscard]] base::Result<Stored> decode_avif(Bytes bytes, const ImageLimits& limits);  ///< libavformat, libavcodec

/// A PNG as a mask, by its own numbers; nothing: it is damaged, or to be turned, and is read as an image.
[[nodiscard]] base::Result<std::optional<Mask>> decode_png_mask(Bytes bytes, const ImageLimits& limits);

/// Whether a stream that begins so is one image and ends with it: TIFF and AVIF lie in pieces all over their file.
[[nodiscard]] bool needs_whole_file(Bytes head);

/// kInvalidArgument for sides below 1, kResourceExhausted beyond the limit.
[[nodiscard]] base::Result<void> check_size(std::int64_t width, std::int64_t height, const ImageLimits& limits);

}  // namespace slipway::media::internal
