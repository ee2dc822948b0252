#include "pipelines/common/frame_source.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "media/camera.hpp"
#include "media/input_stream.hpp"
#include "pipelines/common/input_folder.hpp"
#include "pipelines/common/newest_frame.hpp"

namespace slipway::pipelines {

namespace fs = std::filesystem;

struct FrameSource::State {
  std::vector<fs::path> files;
  std::map<std::size_t, base::Error> unusable;  // of `files`: what is wrong with them was seen when they were named
  media::ImageLimits limits;
  std::stop_token stop;
  FrameSourceOptions options;
  std::vector<std::string> left_out;
  std::size_t next_file = 0;  // behind the one that is read
  std::optional<media::VideoReader> video;
  std::unique_ptr<NewestFrame> camera;
  media::VideoInfo video_info;
  std::int64_t video_frames = 0;                 // given so far of the video that is read
  media::VideoFrame ahead;                       // of the video that is read, behind its first frame
  std::optional<base::Result<bool>> came_ahead;  // what reading it gave
  bool finds_single_images = false;
  int side = 0;  // of the squares of videos; 0: none
};

namespace {

/// What is wrong with a video that was read to its end; empty when nothing is.
std::string damage_of(const media::VideoReader& video) {
  std::string text;
  if (video.missing_s() > 0) {
    text = fmt::format("it breaks off: {:.2f} of the {:.2f} s that it states are missing", video.missing_s(),
                       video.info().duration_s);
  } else if (video.broke_off()) {
    text = "it breaks off";
  }
  if (video.damaged_packets() > 0) {
    text += fmt::format("{}damaged pieces left out: {}", text.empty() ? "" : "; ", video.damaged_packets());
  }
  return text;
}

base::Result<std::vector<fs::path>> files_of(const fs::path& input, bool is_recursive,
                                             std::vector<std::string>& left_out) {
  std::error_code error;
  if (input.string().starts_with("/dev/video") && !fs::exists(input, error)) {
    return std::unexpected(media::Camera::open(input).error());  // names the cameras that are there
  }
  if (input != "-" && !fs::exists(input, error)) {
    return base::fail(base::Code::kNotFound, "{}: no such file or folder", input.string());
  }
  if (input == "-" || !fs::is_directory(input, error)) return std::vector{input};
  SLIPWAY_ASSIGN(InputFolder folder, read_input_folder(input, is_recursive));
  if (!folder.left_out.empty()) left_out.push_back(std::move(folder.left_out));
  return std::move(folder.files);
}

}  // namespace

bool is_video_input(const fs::path& path) {
  return media::is_stream(path) || media::is_camera_path(path) || media::has_video_ending(path);
}

FrameSource::FrameSource(std::unique_ptr<State> state) : state_(std::move(state)) {}
FrameSource::~FrameSource() = default;
FrameSource::FrameSource(FrameSource&&) noexcept = default;
FrameSource& FrameSource::operator=(FrameSource&&) noexcept = default;

base::Result<FrameSource> FrameSource::open(const std::vector<std::string>& inputs, const media::ImageLimits& limits,
                                            std::stop_token stop, const FrameSourceOptions& options) {
  if (inputs.empty()) return base::fail(base::Code::kInvalidArgument, "no picture, folder, video or - was named");
  auto state = std::make_unique<State>();
  state->limits = limits;
  state->stop = std::move(stop);
  state->options = options;
  for (const std::string& input : inputs) {
    auto files = files_of(input, options.is_recursive, state->left_out);
    if (files) {
      state->files.insert(state->files.end(), files->begin(), files->end());
      continue;
    }
    if (inputs.size() == 1) return std::unexpected(std::move(files).error());
    state->unusable.emplace(state->files.size(), std::move(files).error());
    state->files.emplace_back(input);
  }
  if (state->unusable.size() == inputs.size()) return std::unexpected(state->unusable.begin()->second);
  return FrameSource(std::move(state));
}

const std::vector<fs::path>& FrameSource::files() const {
  return state_->files;
}

void FrameSource::also_stretch_videos_to(int side) {
  state_->side = side;
}

void FrameSource::find_single_images() {
  state_->finds_single_images = true;
}

const std::vector<std::string>& FrameSource::left_out() const {
  return state_->left_out;
}

bool FrameSource::next(SourceFrame& frame) {
  State& state = *state_;
  frame.error.reset();
  frame.starts_sequence = false;
  frame.dropped = 0;
  frame.is_single = false;
  // The memory of a frame is used again: what it said before counts no more.
  const auto name_input = [&] {
    frame.input = state.next_file - 1;
    frame.path = state.files[frame.input];
    frame.is_video = is_video_input(frame.path);
  };
  for (;;) {
    if (state.camera) {
      name_input();
      frame.video = state.video_info;
      frame.frame.square = {};
      if (auto arrival = state.camera->next(frame.frame, state.stop)) {
        frame.captured_at = arrival->at;
        frame.dropped = arrival->dropped;
      } else {
        if (state.stop.stop_requested()) return false;
        frame.error = std::move(arrival).error();
        state.camera.reset();
      }
      return true;
    }
    if (state.video) {
      name_input();
      const bool was_read = state.came_ahead.has_value();
      if (was_read) std::swap(frame.frame, state.ahead);
      const base::Result<bool> has_frame =
          was_read ? *std::exchange(state.came_ahead, {}) : state.video->next(frame.frame);
      frame.video = state.video->info();
      if (has_frame && *has_frame) {
        if (state.finds_single_images && frame.video.are_images && state.video_frames == 0) {
          state.came_ahead = state.video->next(state.ahead);
          frame.is_single = state.came_ahead->has_value() && !**state.came_ahead;
        }
        ++state.video_frames;
        frame.captured_at = std::chrono::steady_clock::now();
        return true;
      }
      if (state.stop.stop_requested()) return false;
      const std::string damage = damage_of(*state.video);
      state.video.reset();
      if (!has_frame) {
        frame.error = has_frame.error();
        return true;
      }
      if (state.video_frames == 0) {
        frame.error = base::Error{base::Code::kDataLoss, frame.path.string() + ": not one frame could be read"};
        return true;
      }
      if (!damage.empty()) {
        frame.error = base::Error{base::Code::kDataLoss, frame.path.string() + ": " + damage};
        return true;
      }
    }
    if (state.next_file == state.files.size()) return false;
    ++state.next_file;
    name_input();
    frame.starts_sequence = true;
    if (const auto known = state.unusable.find(frame.input); known != state.unusable.end()) {
      frame.error = known->second;
      return true;
    }
    if (media::is_camera_path(frame.path)) {
      auto camera = media::Camera::open(frame.path);
      if (!camera) {
        frame.error = std::move(camera).error();
        return true;
      }
      state.video_info = camera->info();
      state.camera = std::make_unique<NewestFrame>(
          [camera = std::make_shared<media::Camera>(std::move(*camera))](
              media::VideoFrame& to, const std::stop_token& stop) { return camera->next(to, stop); });
      continue;
    }
    if (frame.is_video) {
      auto video =
          media::VideoReader::open(frame.path, state.limits, state.stop, {.wants_sound = state.options.wants_sound});
      if (!video) {
        if (state.stop.stop_requested()) return false;
        frame.error = std::move(video).error();
        return true;
      }
      if (state.side > 0) video->also_stretch_to(state.side);
      state.video_frames = 0;
      state.video = std::move(*video);
      continue;
    }
    auto image = media::read_image(frame.path, state.limits);
    frame.frame.index = 0;
    frame.frame.time_s = 0;
    frame.frame.square = {};
    if (image) {
      frame.frame.image = std::move(*image);
      frame.captured_at = std::chrono::steady_clock::now();
    } else {
      frame.error = std::move(image).error();
    }
    return true;
  }
}

}  // namespace slipway::pipelines
