#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "base/error.hpp"
#include "media/video_file.hpp"
#include "pipelines/common/frame_source.hpp"

namespace slipway::cli {

/// Where drawn-over pictures and videos go: one file, or a folder that takes a file an input under its name (`.png`,
/// `.jpg` as the input, videos as `.mp4`).
class OverlayOutput {
 public:
  /// @param path          a folder (made when missing), or a file when `input_count` is 1; empty: nothing is written
  /// @error kInvalidArgument: a file for several inputs; as errno
  [[nodiscard]] static base::Result<OverlayOutput> open(const std::filesystem::path& path, std::size_t input_count);

  [[nodiscard]] bool is_wanted() const { return !path_.empty(); }

  /// Writes a drawn frame; a video stays open until a frame of another input comes.
  /// @error kInvalidArgument: it would be written over its own input; as media::write_image and VideoWriter
  [[nodiscard]] base::Result<void> write(const pipelines::SourceFrame& frame);

  /// Ends the video that is open. Call at the end.
  [[nodiscard]] base::Result<void> finish();

 private:
  [[nodiscard]] base::Result<std::filesystem::path> target_of(const pipelines::SourceFrame& frame);

  std::filesystem::path path_;
  bool is_folder_ = false;
  std::set<std::filesystem::path> used_;
  std::optional<media::VideoWriter> video_;
  std::filesystem::path video_input_;
};

}  // namespace slipway::cli
