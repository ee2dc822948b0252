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

/// What a video has beside its frames: its sound, and when the last of them ends. A reader fills it while a writer in
/// another thread copies it into its own file.
class VideoExtras;

/// How a video's numbers stand for colours, in the code points of ITU-T H.273; 2: not said.
struct VideoColours {
  int primaries = 2;
  int transfer = 2;
  int matrix = 2;  ///< of luma and chroma
  bool is_full_range = false;
};

struct VideoInfo {
  int width = 0;  ///< as announced, upright; single frames may differ
  int height = 0;
  int rate_numerator = 0;  ///< frames per second as a fraction; 0 when the file does not say
  int rate_denominator = 1;
  int time_numerator = 0;  ///< seconds of a unit of its clock as a fraction; 0 when the file does not say
  int time_denominator = 1;
  int pixel_width = 1;  ///< a shown pixel's width to its height
  int pixel_height = 1;
  double duration_s = 0;    ///< 0 when unknown
  std::string codec;        ///< "h264", "vp9", …
  bool are_images = false;  ///< whole images, one after the other; there may be only one
  VideoColours colours;     ///< of the frame that was read last
  std::shared_ptr<VideoExtras> extras;

  [[nodiscard]] double frames_per_second() const {
    return rate_denominator > 0 ? static_cast<double>(rate_numerator) / rate_denominator : 0;
  }
};

struct VideoFrame {
  Image image;             ///< its memory is reused from frame to frame
  Image square;            ///< the same stretched to a square, where also_stretch_to() asked for it; otherwise empty
  std::int64_t index = 0;  ///< 0 for the first
  double time_s = 0;       ///< when it is to be shown, from the beginning of the file on: a video may begin late
  double duration_s = 0;   ///< for how long; 0: until the next one
};

struct VideoOptions {
  bool wants_sound = false;  ///< VideoInfo::extras gets the packets of the sound, for a VideoWriter
};

/// Reads a video file, or a stream on standard input, frame by frame.
///
/// Damaged packets are left out and counted; a file that breaks off gives every frame before the break and then ends.
/// Each frame has its own size: streams may change it. Rotation and mirroring written in the file are applied, colours
/// follow its matrix and range. Images that come as a stream (JPEG, PNG, BMP, WebP one after the other; one TIFF or
/// AVIF) are decoded as those of files, by decode_image(). Only the local file (or standard input) is opened, whatever
/// it refers to.
/// @thread one object belongs to one thread
class VideoReader {
 public:
  /// @param path  a file, a pipe, or "-" for standard input (Matroska, MPEG-TS, Y4M, MJPEG … : any form that needs no
  /// seeking)
  /// @param stop  ends a stream that gives nothing, as its end does
  /// @error kNotFound; kInvalidArgument: not a video or no image stream in it; kDataLoss: its index is missing
  ///        (a broken-off MP4); kUnavailable: no decoder for its codec
  [[nodiscard]] static base::Result<VideoReader> open(const std::filesystem::path& path, const ImageLimits& limits = {},
                                                      std::stop_token stop = {}, const VideoOptions& options = {});
  ~VideoReader();
  VideoReader(VideoReader&&) noexcept;
  VideoReader& operator=(VideoReader&&) noexcept;

  [[nodiscard]] const VideoInfo& info() const;

  /// From now on frames come a second time, stretched to side × side from the video's own colours in one step, as a
  /// `scale` filter of libavfilter 7 and earlier does it by default: bilinear, with the matrix that the stream states
  /// (BT.601 where it says nothing). That is what decord's reader gives, which trackers of the SAM 2 family read with.
  void also_stretch_to(int side);

  /// Fills the next frame; false when there are no more.
  /// @error kResourceExhausted: a frame larger than the limit, or no memory; as decode_image of a stream of images
  /// none of which can be read
  [[nodiscard]] base::Result<bool> next(VideoFrame& frame);

  [[nodiscard]] std::int64_t damaged_packets() const;  ///< left out so far
  [[nodiscard]] bool broke_off() const;                ///< ended by a read error, not by the end of the file
  /// Of a file that ended too early: seconds from the end of the last frame to the end that an MP4, MOV, Matroska or
  /// WebM file states. 0 before the end, when nothing notable is missing, and when nothing is stated.
  [[nodiscard]] double missing_s() const;

 private:
  struct State;
  explicit VideoReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Writes H.264 (MPEG-4 part 2 where libavcodec has no H.264 encoder) into `.mp4`, `.mkv`, `.mov` or `.avi`. The file
/// appears when it is whole (base::OutputFile); into a pipe an `.mp4` goes in pieces that can be played as they come.
/// Frames stand at the times that they are given (an `.avi` has only multiples of its rate); each lasts until the next.
/// @thread one object belongs to one thread
class VideoWriter {
 public:
  /// @param width, height     of the video; odd sides lose their last column or row (chroma needs even ones)
  /// @param rate_numerator, rate_denominator  frames per second; 25 when the numerator is 0
  /// @error kInvalidArgument: another ending, or sides below 2; kUnavailable: no encoder; as errno
  [[nodiscard]] static base::Result<VideoWriter> create(const std::filesystem::path& path, int width, int height,
                                                        int rate_numerator, int rate_denominator);

  /// The same for frames of a video: with its rate, clock, shape of pixels and colours, and its sound.
  /// @param source  whose extras, if any, are taken by this writer alone
  /// @error as above
  [[nodiscard]] static base::Result<VideoWriter> create(const std::filesystem::path& path, int width, int height,
                                                        const VideoInfo& source);
  ~VideoWriter();
  VideoWriter(VideoWriter&&) noexcept;
  VideoWriter& operator=(VideoWriter&&) noexcept;

  /// Appends one frame, a frame's length behind the one before; an image of another size is scaled to the video's.
  [[nodiscard]] base::Result<void> write(ImageView image);

  /// Appends one frame at its time.
  /// @param duration_s  for how long it is shown when it is the last; 0: as long as the rate says
  [[nodiscard]] base::Result<void> write(ImageView image, double time_s, double duration_s);

  /// A sentence when the source's sound could not be copied; empty otherwise.
  [[nodiscard]] const std::string& sound_note() const;

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
