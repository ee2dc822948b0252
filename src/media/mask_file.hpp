#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "base/error.hpp"
#include "media/image_file.hpp"

namespace slipway::media {

/// Which pixels of an image are an object.
struct Mask {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> inside;  ///< a row after the other, 1: of the object
};

/// Reads a mask as tools write them. A PNG by its own numbers: any index of its palette but 0; else where its alpha is
/// not 0, unless it is opaque everywhere; else any value but 0, of any depth. JPEG, which blurs what is black: what is
/// brighter than grey. Of other kinds any value but 0.
/// @error as read_image
[[nodiscard]] base::Result<Mask> read_mask(const std::filesystem::path& path, const ImageLimits& limits = {});

}  // namespace slipway::media
