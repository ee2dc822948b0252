#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "base/error.hpp"
#include "media/image_file.hpp"
#include "pipelines/common/frame_source.hpp"

namespace slipway::cli {

/// How every verb that takes images and videos reads them.
struct SourceArguments {
  bool is_recursive = false;
  bool no_audio = false;
  bool stats = false;  ///< LiveStats are wanted
  std::int64_t max_pixels = media::ImageLimits{}.max_pixels;

  void add_to(CLI::App& verb);

  /// The inputs as a source; what of folders is not read is said on standard error.
  /// @param writes_videos  whether the sound of videos is needed
  /// @error as pipelines::FrameSource::open
  [[nodiscard]] base::Result<pipelines::FrameSource> open(const std::vector<std::string>& inputs,
                                                          bool writes_videos) const;
};

}  // namespace slipway::cli
