#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "media/video_file.hpp"

namespace slipway::pipelines {

/// One image of a source: an image file, or a frame of a video.
struct SourceFrame {
  media::VideoFrame frame;     ///< its memory is reused; index and time are 0 for image files
  std::filesystem::path path;  ///< where it comes from; "-" for standard input
  std::size_t input = 0;       ///< the place of `path` in FrameSource::files(); a file may stand there twice
  bool is_video = false;
  bool is_single = false;        ///< all that its stream held; only known where FrameSource was asked to find out
  bool starts_sequence = false;  ///< the first of a video or camera, or an image file: what was followed ends here
  media::VideoInfo video;        ///< of the video it comes from
  std::chrono::steady_clock::time_point captured_at;  ///< when it arrived from a camera, or was read and decoded
  std::int64_t dropped = 0;                           ///< frames of a camera that were overwritten before it, unread
  std::optional<base::Error> error;  ///< set: this input could not be read (on); the frame holds nothing
};

struct FrameSourceOptions {
  bool is_recursive = false;  ///< folders: with what lies in folders below them
  bool wants_sound = false;   ///< of videos, for a VideoWriter
};

/// Whether the frames of an input are those of a video, a camera or standard input; an image file has one.
[[nodiscard]] bool is_video_input(const std::filesystem::path& path);

/// Gives the images of a list of inputs one by one: image files, folders of them (numbers in names by their value: 1,
/// 2, 12), video files, cameras (/dev/video0: frames without end), and "-" or a pipe for a stream of images or video.
///
/// Files and streams wait until their next frame is asked for. A camera does not: of it the newest frame is given.
///
/// What cannot be read, or is not there, is given as a frame with an error, and the next input follows: one bad image
/// does not end a run.
/// @thread one object belongs to one thread
class FrameSource {
 public:
  /// @param stop  ends the wait for a stream or a camera that gives nothing: no more frames come of it
  /// @error kNotFound: no input is there: it does not exist, or a folder holds no images or videos; kInvalidArgument:
  /// no inputs
  [[nodiscard]] static base::Result<FrameSource> open(const std::vector<std::string>& inputs,
                                                      const media::ImageLimits& limits = {}, std::stop_token stop = {},
                                                      const FrameSourceOptions& options = {});
  ~FrameSource();
  FrameSource(FrameSource&&) noexcept;
  FrameSource& operator=(FrameSource&&) noexcept;

  /// Frames of videos come a second time, as media::VideoReader::also_stretch_to gives them.
  void also_stretch_videos_to(int side);

  /// From now on a stream of images is read one ahead at its beginning, so that one that holds a single image is
  /// known by SourceFrame::is_single. Who sends images and waits for an answer to each would wait for ever.
  void find_single_images();

  /// Fills the next frame; false when all inputs are read.
  [[nodiscard]] bool next(SourceFrame& frame);

  [[nodiscard]] const std::vector<std::filesystem::path>& files() const;

  /// Sentences on what of the folders is not read.
  [[nodiscard]] const std::vector<std::string>& left_out() const;

 private:
  struct State;
  explicit FrameSource(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace slipway::pipelines
