#include "media/internal/stream_clock.hpp"

#include <algorithm>

namespace slipway::media::internal {

StreamClock::StreamClock(const AVFormatContext& input) : may_jump_((input.iformat->flags & AVFMT_TS_DISCONT) != 0) {
  if (may_jump_ && input.start_time != AV_NOPTS_VALUE) offset_us_ = -input.start_time;
}

bool StreamClock::place(const AVFormatContext& input, AVPacket& packet) {
  const AVStream& stream = *input.streams[packet.stream_index];
  bool jumps = false;
  const std::int64_t time = packet.dts != AV_NOPTS_VALUE ? packet.dts : packet.pts;
  if (may_jump_ && time != AV_NOPTS_VALUE) {
    // What ffmpeg calls a jump: ten seconds either way, or a tenth of a second back.
    constexpr std::int64_t kForward = 10 * AV_TIME_BASE, kBack = AV_TIME_BASE / 10;
    const std::int64_t time_us = av_rescale_q(time, stream.time_base, AV_TIME_BASE_Q);
    const std::int64_t placed_us = time_us + offset_us_;
    // Streams of one file do not run evenly: a second back is another stream's turn.
    constexpr std::int64_t kOtherStream = AV_TIME_BASE;
    const bool is_only = input.nb_streams < 2;
    if (last_end_us_ != AV_NOPTS_VALUE &&
        (placed_us > last_end_us_ + kForward || placed_us + (is_only ? kBack : kOtherStream) < last_end_us_)) {
      offset_us_ = last_end_us_ - time_us;
      jumps = true;
    }
    const std::int64_t length_us = av_rescale_q(packet.duration, stream.time_base, AV_TIME_BASE_Q);
    const std::int64_t end_us = time_us + offset_us_ + std::max<std::int64_t>(0, length_us);
    last_end_us_ = last_end_us_ == AV_NOPTS_VALUE ? end_us : std::max(last_end_us_, end_us);
  }
  const std::int64_t offset = av_rescale_q(offset_us_, AV_TIME_BASE_Q, stream.time_base);
  if (packet.pts != AV_NOPTS_VALUE) packet.pts += offset;
  if (packet.dts != AV_NOPTS_VALUE) packet.dts += offset;
  return jumps;
}

}  // namespace slipway::media::internal
