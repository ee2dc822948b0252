#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "apps/cli/progress_bar.hpp"

namespace slipway::cli {

/// Frames that files will give, as far as they say: an image is one; a video, its length times its rate. 0 when one of
/// them does not say (a stream, a camera). Opens each video.
[[nodiscard]] std::int64_t expected_frames(const std::vector<std::filesystem::path>& files);

/// A progress bar over the frames of a run: of videos, of folders, of anything but a single image.
class FrameProgress {
 public:
  /// @param files  that the frames come from (FrameSource::files)
  /// @param what   is done: "finding faces"
  /// @param most   frames that are wanted; 0: all
  FrameProgress(const std::vector<std::filesystem::path>& files, std::string what, std::int64_t most = 0);

  /// One frame more is done, or could not be read.
  void advance();

 private:
  ProgressBar bar_;
  std::string what_;
  std::int64_t done_ = 0, total_ = 1;
};

}  // namespace slipway::cli
