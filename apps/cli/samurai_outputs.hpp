#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "apps/cli/output_guard.hpp"
#include "base/error.hpp"
#include "base/output_file.hpp"
#include "media/video_file.hpp"
#include "pipelines/common/frame_source.hpp"
#include "pipelines/samurai/tracker.hpp"

namespace slipway::cli {

/// The files that a tracked video leaves, beside its JSON: a drawn-over video, black and white masks, a trace of the
/// rules. What is not asked for is not written.
class SamuraiOutputs {
 public:
  struct Paths {
    std::filesystem::path video;  ///< .mp4, .mkv, .mov, .avi
    std::filesystem::path masks;  ///< folder: 00000.png … , with several objects in object_1, object_2 …
    std::filesystem::path trace;  ///< of object 1; of object 2 beside it with "-2" before its ending, and so on
  };

  /// @error kInvalidArgument: a name that stands for no video; as errno
  [[nodiscard]] static base::Result<SamuraiOutputs> open(const Paths& paths, std::size_t objects);

  /// What open() and write() will make, for Context::check_outputs.
  [[nodiscard]] static std::vector<PlannedOutput> planned(const Paths& paths, std::size_t objects);

  /// Draws over the frame when a video is wanted.
  [[nodiscard]] base::Result<void> write(pipelines::SourceFrame& frame, const pipelines::samurai::FrameResult& result);

  /// The video and the traces that write() has begun.
  [[nodiscard]] std::vector<std::filesystem::path> under_way() const;

  /// Ends the files. Call at the end; without it there is neither video nor trace.
  [[nodiscard]] base::Result<void> finish();

 private:
  [[nodiscard]] base::Result<void> write_masks(const pipelines::samurai::FrameResult& result);
  [[nodiscard]] base::Result<void> write_trace(const pipelines::samurai::FrameResult& result);

  Paths paths_;
  std::size_t objects_ = 0;
  std::optional<media::VideoWriter> video_;
  media::Image mask_image_;
  std::vector<base::OutputFile> traces_;
};

}  // namespace slipway::cli
