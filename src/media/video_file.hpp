#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>

#include "base/error.hpp"
#include "media/image.hpp"
#include "media/image_file.hpp"

namespace slipway::media {

struct VideoInfo {
  int width = 0;  ///< as announced, upright; single frames may differ
  int height = 0;
  int rate_numerator = 0;  ///< frames per second as a fraction; 0 when the file does not say
  int rate_denominator = 1;
  double duration_s = 0;  ///< 0 when unknown
  std::string codec;      ///< "h264", "vp9", …

  [[nodiscard]] double frames_per_second() const {
    return rate_denominator > 0 ? static_cast<double>(rate_numerator) / rate_denominator : 0;
  }
};

struct VideoFrame {
  Image image;             ///< its memory is reused from frame to frame
  Image square;            ///< the same stretched to a square, where also_stretch_to() asked for it; otherwise empty
  std::int64_t index = 0;  ///< 0 for the first
  double time_s = 0;       ///< presentation time from the first frame on
};

/// Reads a video file, or a stream on standard input, frame by frame.
///
/// Damaged packets are left out and counted; a file that breaks off gives every frame before the break and then ends.
/// Each frame has its own size: streams may change it. Rotation written in the file is applied. Only the local file (or
/// standard input) is opened, whatever it refers to.
/// @thread one object belongs to one thread
class VideoReader {
 public:
  /// @param path  a file, a pipe, or "-" for standard input (Matroska, MPEG-TS, Y4M, MJPEG … : any form that needs no
  /// seeking)
  /// @param stop  ends a stream that gives nothing, as its end does
  /// @error kNotFound; kInvalidArgument: not a video or no image stream in it; kDataLoss: its index is missing
  ///        (a broken-off MP4); kUnavailable: no decoder for its codec
  [[nodiscard]] static base::Result<VideoReader> open(const std::filesystem::path& path, const ImageLimits& limits = {},
                                                      std::stop_token stop = {});
  ~VideoReader();
  VideoReader(VideoReader&&) noexcept;
  VideoReader& operator=(VideoReader&&) noexcept;

  [[nodiscard]] const VideoInfo& info() const;

  /// From now on frames come a second time, stretched to side × side from the video's own colours in one step, as a
  /// `scale` filter of libavfilter 7 and earlier does it by default: bilinear, with the matrix that the stream states
  /// (BT.601 where it says nothing). That is what decord's reader gives, which trackers of the SAM 2 family read with.
  void also_stretch_to(int side);

  /// Fills the next frame; false when there are no more.
  /// @error kResourceExhausted: a frame larger than the limit, or no memory
  [[nodiscard]] base::Result<bool> next(VideoFrame& frame);

  [[nodiscard]] std::int64_t damaged_packets() const;  ///< left out so far
  [[nodiscard]] bool broke_off() const;                ///< ended by a read error, not by the end of the file
  /// Of a file that ended too early: seconds from the end of the last frame to the end that an MP4,
  /// MOV, Matroska or WebM file states. 0 before the end, when nothing notable is missing, and when nothing is stated.
  [[nodiscard]] double missing_s() const;

 private:
  struct State;
  explicit VideoReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Writes H.264 (MPEG-4 part 2 where libavcodec has no H.264 encoder) into `.mp4`, `.mkv`, `.mov` or `.avi`. The file
/// appears when it is whole (base::OutputFile); into a pipe an `.mp4` goes in pieces that can be played as they come.
/// @thread one object belongs to one thread
class VideoWriter {
 public:
  /// @param width, height     of the video; odd sides lose their last column or row (chroma needs even ones)
  /// @param rate_numerator, rate_denominator  frames per second; 25 when the numerator is 0
  /// @error kInvalidArgument: another ending, or sides below 2; kUnavailable: no encoder; as errno
  [[nodiscard]] static base::Result<VideoWriter> create(const std::filesystem::path& path, int width, int height,
                                                        int rate_numerator, int rate_denominator);
  ~VideoWriter();
  VideoWriter(VideoWriter&&) noexcept;
  VideoWriter& operator=(VideoWriter&&) noexcept;

  /// Appends one frame; an image of another size is scaled to the video's.
  [[nodiscard]] base::Result<void> write(ImageView image);

  /// Writes what is buffered and the file's index, and puts the file in its place. Without it there is no file.
  [[nodiscard]] base::Result<void> finish();

 private:
  struct State;
  explicit VideoWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// True for the endings of video files.
[[nodiscard]] bool has_video_ending(const std::filesystem::path& path);

}  // namespace slipway::media
