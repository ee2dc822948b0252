#pragma once

#include <cstdint>
#include <vector>

#include "media/internal/libav.hpp"

namespace slipway::media::internal {

/// Moves the times of packets to where the container begins, as ffmpeg does: at 0 where its clock is the file's own;
/// recordings of a broadcast (MPEG-TS and its like) begin at any time, and their clock jumps where two were joined.
class StreamClock {
 public:
  StreamClock() = default;
  /// @pre input is opened and its streams are known
  explicit StreamClock(const AVFormatContext& input);

  /// @param packet  its times are changed
  /// @return whether the clock jumped before it: another recording begins
  bool place(const AVFormatContext& input, AVPacket& packet);

 private:
  /// Where a stream has come to, on the clock of the output.
  struct Place {
    std::int64_t begin_us = AV_NOPTS_VALUE;     ///< of its latest packet
    std::int64_t expected_us = AV_NOPTS_VALUE;  ///< of its next one
  };

  bool may_jump_ = false;
  std::int64_t offset_us_ = 0;
  std::int64_t latest_us_ = AV_NOPTS_VALUE;  // of the packet that was placed last, of whatever stream
  std::vector<Place> places_;                // by stream
};

}  // namespace slipway::media::internal
