#include "apps/cli/overlay_output.hpp"

#include <cstdio>
#include <set>

#include <fmt/format.h>

#include "base/files.hpp"
#include "media/image_file.hpp"
#include "media/input_stream.hpp"

namespace slipway::cli {

namespace fs = std::filesystem;
using base::Code;

namespace {

/// Of a drawn-over image or video in a folder; the second input of one stem is number 2.
std::string name_of(const fs::path& input, int number, bool is_still) {
  const std::string ending = !is_still                                                     ? ".mp4"
                             : input.extension() == ".jpg" || input.extension() == ".jpeg" ? ".jpg"
                                                                                           : ".png";
  return fmt::format("{}{}{}", input == "-" ? "standard_input" : input.stem().string(),
                     number > 1 ? fmt::format("-{}", number) : "", ending);
}

base::Result<void> check_ending(const fs::path& output, const fs::path& input) {
  const bool may_be_video = pipelines::is_video_input(input);
  const bool may_be_image = !may_be_video || media::is_stream(input);
  if (may_be_video && media::has_video_ending(output)) return {};
  if (may_be_image && media::can_write_image(output)) return {};
  return base::fail(Code::kInvalidArgument, "--output {}: expected {}, which ends in {}{}{}, or a folder",
                    output.string(),
                    !may_be_video   ? "a picture"
                    : !may_be_image ? "a video"
                                    : "a video or a picture",
                    may_be_video ? ".mp4, .mkv, .mov or .avi" : "", may_be_video && may_be_image ? ", or in " : "",
                    may_be_image ? ".png or .jpg" : "");
}

}  // namespace

base::Result<OverlayOutput> OverlayOutput::open(const fs::path& path, const std::vector<fs::path>& inputs) {
  OverlayOutput output;
  if (path.empty()) return output;
  output.path_ = path;
  std::error_code error;
  const bool is_there = fs::exists(path, error);
  output.is_folder_ = fs::is_directory(path, error) || (!is_there && !path.has_extension() && path != "-");
  if (!output.is_folder_ && inputs.size() != 1) {
    return base::fail(Code::kInvalidArgument, "--output {} is one file, but there are {} inputs: name a folder",
                      path.string(), inputs.size());
  }
  if (!output.is_folder_) SLIPWAY_TRY(check_ending(path, inputs.front()));
  std::set<fs::path> used;
  for (const fs::path& input : inputs) {
    const auto find_name = [&](bool is_still) {
      fs::path target = path / name_of(input, 1, is_still);
      for (int number = 2; !used.insert(target).second; ++number) target = path / name_of(input, number, is_still);
      return target;
    };
    output.targets_.push_back(output.is_folder_ ? find_name(!pipelines::is_video_input(input)) : path);
    output.stills_.push_back(output.is_folder_ && media::is_stream(input) ? find_name(true) : fs::path());
  }
  return output;
}

std::vector<PlannedOutput> OverlayOutput::planned() const {
  std::vector<PlannedOutput> planned;
  if (is_folder_) planned.push_back({.option = "--output", .path = path_, .is_folder = true});
  for (const fs::path& target : targets_) {
    planned.push_back({.option = "--output", .path = target, .is_named = !is_folder_});
  }
  for (const fs::path& still : stills_) {
    if (still.empty()) continue;
    planned.push_back({.option = "--output", .path = still, .is_named = false, .is_alternative = true});
  }
  return planned;
}

base::Result<void> OverlayOutput::make_folder() const {
  std::error_code error;
  if (is_folder_) fs::create_directories(path_, error);
  if (error) return std::unexpected(base::errno_error(error.value(), path_.string()));
  return {};
}

std::optional<fs::path> OverlayOutput::video_under_way() const {
  return video_ ? std::optional(targets_[video_input_]) : std::nullopt;
}

fs::path OverlayOutput::target(const pipelines::SourceFrame& frame) const {
  if (!is_wanted()) return {};
  const fs::path& still = stills_[frame.input];
  return frame.is_single && !still.empty() ? still : targets_[frame.input];
}

base::Result<void> OverlayOutput::write(const pipelines::SourceFrame& frame) {
  const media::Image& image = frame.frame.image;
  const fs::path target = this->target(frame);
  if (!frame.is_video || media::can_write_image(target)) {
    if (frame.is_video && frame.frame.index > 0) {
      return base::fail(Code::kInvalidArgument,
                        "--output {} is a picture, but the input has more than one frame: name a video (.mp4)",
                        target.string());
    }
    SLIPWAY_TRY(finish());
    return media::write_image(target, image.view());
  }
  if (!video_ || video_input_ != frame.input) {
    SLIPWAY_TRY(finish());
    SLIPWAY_ASSIGN(video_, media::VideoWriter::create(target, image.width(), image.height(), frame.video));
    if (!video_->sound_note().empty()) fmt::print(stderr, "warning: {}\n", video_->sound_note());
    video_input_ = frame.input;
  }
  return video_->write(image.view(), frame.frame.time_s, frame.frame.duration_s);
}

base::Result<void> OverlayOutput::finish() {
  if (!video_) return {};
  const auto done = video_->finish();
  video_.reset();
  return done;
}

}  // namespace slipway::cli
