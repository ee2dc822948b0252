#include "apps/cli/overlay_output.hpp"

#include "base/files.hpp"
#include "media/image_file.hpp"

namespace slipway::cli {

namespace fs = std::filesystem;
using base::Code;

base::Result<OverlayOutput> OverlayOutput::open(const fs::path& path, std::size_t input_count) {
  OverlayOutput output;
  if (path.empty()) return output;
  output.path_ = path;
  std::error_code error;
  output.is_folder_ = fs::is_directory(path, error) || !path.has_extension();
  if (!output.is_folder_ && input_count != 1) {
    return base::fail(Code::kInvalidArgument, "--output {} is one file, but there are {} inputs: name a folder",
                      path.string(), input_count);
  }
  if (output.is_folder_ && !fs::create_directories(path, error) && error) {
    return std::unexpected(base::errno_error(error.value(), path.string()));
  }
  return output;
}

base::Result<fs::path> OverlayOutput::target_of(const pipelines::SourceFrame& frame) {
  fs::path target = path_;
  if (is_folder_) {
    const std::string stem = frame.path == "-" ? "standard_input" : frame.path.stem().string();
    const std::string ending = frame.is_video                                                          ? ".mp4"
                               : frame.path.extension() == ".jpg" || frame.path.extension() == ".jpeg" ? ".jpg"
                                                                                                       : ".png";
    target = path_ / (stem + ending);
    for (int number = 2; used_.contains(target); ++number)
      target = path_ / fmt::format("{}-{}{}", stem, number, ending);
  }
  used_.insert(target);
  std::error_code error;
  if (fs::equivalent(target, frame.path, error)) {
    return base::fail(Code::kInvalidArgument, "{} would be written over: name another --output", frame.path.string());
  }
  return target;
}

base::Result<void> OverlayOutput::write(const pipelines::SourceFrame& frame) {
  const media::Image& image = frame.frame.image;
  if (!frame.is_video) {
    SLIPWAY_TRY(finish());
    SLIPWAY_ASSIGN(const fs::path target, target_of(frame));
    return media::write_image(target, image.view());
  }
  if (!video_ || video_input_ != frame.path) {
    SLIPWAY_TRY(finish());
    SLIPWAY_ASSIGN(const fs::path target, target_of(frame));
    SLIPWAY_ASSIGN(video_, media::VideoWriter::create(target, image.width(), image.height(), frame.video.rate_numerator,
                                                      frame.video.rate_denominator));
    video_input_ = frame.path;
  }
  return video_->write(image.view());
}

base::Result<void> OverlayOutput::finish() {
  if (!video_) return {};
  const auto done = video_->finish();
  video_.reset();
  return done;
}

}  // namespace slipway::cli
