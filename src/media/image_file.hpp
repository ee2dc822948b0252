#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "media/image.hpp"

namespace slipway::media {

/// What a stranger's image may cost. Checked on the header, before memory is taken for pixels.
struct ImageLimits {
  std::int64_t max_pixels = std::int64_t{1} << 28;  ///< 16384 x 16384: 0.8 GB as RGB
  std::uint64_t max_file_bytes = std::uint64_t{1} << 30;
};

/// Decodes JPEG, PNG, WebP, BMP, GIF, TIFF or AVIF to upright RGB.
///
/// The kind is told by the content, never by the name. Grey and palette become RGB; alpha is dropped and 16-bit samples
/// keep their upper byte, as Pillow and OpenCV do; CMYK and YCCK are taken as Adobe stores them (inverted), without
/// colour profile; an animation gives its first frame, a TIFF of several pages its first. The orientation that EXIF
/// says (else XMP; in AVIF its own properties) is applied; damaged notes say nothing, damaged pixels are an error.
///
/// JPEG pixels equal libjpeg-turbo's accurate transform with smooth chroma, which Pillow and OpenCV use too.
///
/// @param name  what messages call it, e.g. the path
/// @error kInvalidArgument: not an image of these kinds; kResourceExhausted: more pixels than the limit;
///        kDataLoss: the data is damaged or ends early
/// @thread pure function
[[nodiscard]] base::Result<Image> decode_image(std::span<const std::byte> bytes, std::string_view name,
                                               const ImageLimits& limits = {});

/// Reads and decodes a file.
/// @error as decode_image; kNotFound
[[nodiscard]] base::Result<Image> read_image(const std::filesystem::path& path, const ImageLimits& limits = {});

/// The EXIF orientation inside a TIFF block ("II*\0" or "MM\0*" first); kUpright when there is none or it is damaged.
[[nodiscard]] Orientation exif_orientation(std::span<const std::byte> tiff);

/// @param quality  1 … 100
[[nodiscard]] base::Result<std::string> encode_jpeg(ImageView image, int quality = 92);
[[nodiscard]] base::Result<std::string> encode_png(ImageView image);

/// Writes `.png`, `.jpg` or `.jpeg`, told by the name.
/// @error kInvalidArgument: another ending; as base::write_file_durably
[[nodiscard]] base::Result<void> write_image(const std::filesystem::path& path, ImageView image);

/// Whether write_image takes a name with this ending.
[[nodiscard]] bool can_write_image(const std::filesystem::path& path);

/// True for the endings decode_image is meant for: what a folder of images is searched for.
[[nodiscard]] bool has_image_ending(const std::filesystem::path& path);

}  // namespace slipway::media
