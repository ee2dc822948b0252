#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "media/internal/codecs.hpp"

namespace slipway::media::internal {

/// What an image's file says of itself beside its pixels; empty: nothing.
struct Notes {
  Bytes exif;  ///< a TIFF block, with or without "Exif\0\0" before it
  Bytes xmp;
};

/// How to turn the image: as EXIF says, else as XMP does. Notes that are damaged say nothing: the image is upright.
[[nodiscard]] Orientation orientation_of(const Notes& notes);

/// The value of a tag in the first directory of a TIFF block, when it is one whole number.
[[nodiscard]] std::optional<std::uint32_t> tiff_number(Bytes tiff, std::uint32_t tag);

/// The values of a tag in the first directory of a TIFF block, when they are whole numbers that lie inside it; else
/// none.
[[nodiscard]] std::vector<std::uint32_t> tiff_numbers(Bytes tiff, std::uint32_t tag);

/// The bytes of a tag in the first directory of a TIFF block; empty when there are none.
[[nodiscard]] Bytes tiff_bytes(Bytes tiff, std::uint32_t tag);

}  // namespace slipway::media::internal
