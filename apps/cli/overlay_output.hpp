#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "apps/cli/output_guard.hpp"
#include "base/error.hpp"
#include "media/video_file.hpp"
#include "pipelines/common/frame_source.hpp"

namespace slipway::cli {

/// Where drawn-over images and videos go: one file, or a folder that takes a file an input under its name (`.png`,
/// `.jpg` as the input, videos as `.mp4`).
class OverlayOutput {
 public:
  /// @param path    a folder, or a file when there is one input; empty: nothing is written
  /// @param inputs  the files that frames come from, "-" among them
  /// @error kInvalidArgument: a file for several inputs, or one whose ending does not fit the input; as errno
  [[nodiscard]] static base::Result<OverlayOutput> open(const std::filesystem::path& path,
                                                        const std::vector<std::filesystem::path>& inputs);

  /// What write() will make, for Context::check_outputs: the folder and a file an input.
  [[nodiscard]] std::vector<PlannedOutput> planned() const;

  [[nodiscard]] bool is_wanted() const { return !path_.empty(); }

  /// Whether a stream's file is named by what it holds, an image or a video: FrameSource::find_single_images().
  [[nodiscard]] bool names_by_content() const { return is_folder_; }

  /// Makes the folder when there is none. Call before write().
  /// @error as errno
  [[nodiscard]] base::Result<void> make_folder() const;

  /// The video whose frames are being written.
  [[nodiscard]] std::optional<std::filesystem::path> video_under_way() const;

  /// Where a frame goes; empty when nothing is written.
  [[nodiscard]] std::filesystem::path target(const pipelines::SourceFrame& frame) const;

  /// Writes a drawn frame; a video stays open until a frame of another input comes. What comes on standard input is
  /// an image when the file that was named is one.
  /// @error kInvalidArgument: a second frame for an image; as media::write_image and VideoWriter
  [[nodiscard]] base::Result<void> write(const pipelines::SourceFrame& frame);

  /// Ends the video that is open. Call at the end.
  [[nodiscard]] base::Result<void> finish();

 private:
  std::filesystem::path path_;
  bool is_folder_ = false;
  std::vector<std::filesystem::path> targets_;  ///< of the inputs, in order
  std::vector<std::filesystem::path> stills_;   ///< instead, of streams that hold a single image; of others empty
  std::optional<media::VideoWriter> video_;
  std::size_t video_input_ = 0;
};

}  // namespace slipway::cli
