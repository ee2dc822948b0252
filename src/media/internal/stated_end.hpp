#pragma once

#include "media/internal/libav.hpp"

namespace slipway::media::internal {

/// Whether a video ends where its container says. libav ends a Matroska file that was cut off as it ends a whole one.
///
/// MP4 and MOV say how long their image stream is and how many frames it has, Matroska how long its longest stream is
/// and how many bytes there are: when all frames or bytes came nothing is missing, however long the last frame was
/// meant to be shown. Other containers say nothing that could be relied on.
class StatedEnd {
 public:
  StatedEnd() = default;
  /// @pre input is opened and its streams are known
  StatedEnd(const AVFormatContext& input, int stream, double frames_per_second);

  /// To be told of every packet that is read, of whatever stream.
  void saw(const AVFormatContext& input, const AVPacket& packet);

  /// Seconds between the end of what was read and the stated end; 0 when that is no more than rounding, odd frame
  /// rates or a last frame of unknown length explain.
  /// @pre the input was read to its end; nothing is read from it afterwards (this moves its position)
  [[nodiscard]] double missing_s(AVFormatContext& input) const;

 private:
  enum class Source { kNone, kStream, kMatroska };
  Source source_ = Source::kNone;
  int stream_ = -1;
  std::int64_t frames_ = 0;  // that were read
  double frame_s_ = 0;
  double stated_s_ = 0;
  double furthest_end_s_ = 0;  // the furthest end of a packet
  double longest_gap_s_ = 0;   // between packets of the image stream
};

}  // namespace slipway::media::internal
