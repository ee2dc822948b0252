#include "apps/cli/frame_progress.hpp"

#include <cmath>
#include <utility>

#include "media/camera.hpp"
#include "media/input_stream.hpp"
#include "media/video_file.hpp"

namespace slipway::cli {

std::int64_t expected_frames(const std::vector<std::filesystem::path>& files) {
  std::int64_t frames = 0;
  for (const std::filesystem::path& file : files) {
    if (media::is_stream(file) || media::is_camera_path(file)) return 0;
    if (!media::has_video_ending(file)) {
      ++frames;
      continue;
    }
    const auto video = media::VideoReader::open(file);
    if (!video) continue;  // it will be one line
    const std::int64_t of_video = std::llround(video->info().duration_s * video->info().frames_per_second());
    if (of_video <= 0) return 0;
    frames += of_video;
  }
  return frames;
}

FrameProgress::FrameProgress(const std::vector<std::filesystem::path>& files, std::string what, std::int64_t most)
    : what_(std::move(what)) {
  if (!bar_.is_visible()) return;
  total_ = expected_frames(files);
  if (most > 0 && (total_ == 0 || most < total_)) total_ = most;
  if (total_ != 1) bar_.update(what_, 0, total_);
}

void FrameProgress::advance() {
  ++done_;
  if (total_ != 1) bar_.update(what_, done_, total_);
}

}  // namespace slipway::cli
