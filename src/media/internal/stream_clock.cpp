#include "media/internal/stream_clock.hpp"

#include <algorithm>
#include <cstdlib>

namespace slipway::media::internal {
namespace {

// What ffmpeg calls a jump: ten seconds from where a stream is expected, or a tenth of a second back in it.
constexpr std::int64_t kFar = 10 * AV_TIME_BASE, kBack = AV_TIME_BASE / 10;

/// How long ffmpeg takes a packet to be. Of sound it goes by the codec's frame, and by nothing where that is not known
/// (AC-3): its next packet is then expected where this one is, and a joint comes a packet earlier.
std::int64_t length_us_of(const AVStream& stream, const AVPacket& packet) {
  const AVCodecParameters& codec = *stream.codecpar;
  if (codec.codec_type == AVMEDIA_TYPE_AUDIO && codec.sample_rate > 0) {
    return av_rescale(codec.frame_size, AV_TIME_BASE, codec.sample_rate);
  }
  return std::max<std::int64_t>(0, av_rescale_q(packet.duration, stream.time_base, AV_TIME_BASE_Q));
}

}  // namespace

StreamClock::StreamClock(const AVFormatContext& input) : may_jump_((input.iformat->flags & AVFMT_TS_DISCONT) != 0) {
  if (may_jump_ && input.start_time != AV_NOPTS_VALUE) offset_us_ = -input.start_time;
}

bool StreamClock::place(const AVFormatContext& input, AVPacket& packet) {
  const AVStream& stream = *input.streams[packet.stream_index];
  const auto index = static_cast<std::size_t>(packet.stream_index);
  if (places_.size() <= index) places_.resize(index + 1);  // streams may come later
  bool jumps = false;
  if (may_jump_ && packet.dts != AV_NOPTS_VALUE) {
    Place& place = places_[index];
    const std::int64_t time_us = av_rescale_q(packet.dts, stream.time_base, AV_TIME_BASE_Q);
    std::int64_t placed_us = time_us + offset_us_;
    // Streams do not run evenly, so each is held against itself; one that only begins, against the others.
    const bool is_known = place.expected_us != AV_NOPTS_VALUE;
    const std::int64_t expected_us = is_known ? place.expected_us : latest_us_;
    if (expected_us != AV_NOPTS_VALUE) {
      jumps = std::abs(placed_us - expected_us) > kFar || (is_known && placed_us + kBack < place.begin_us);
      if (jumps) {
        offset_us_ = expected_us - time_us;
        placed_us = expected_us;
      }
    }
    place.begin_us = latest_us_ = placed_us;
    place.expected_us = placed_us + length_us_of(stream, packet);
  }
  const std::int64_t offset = av_rescale_q(offset_us_, AV_TIME_BASE_Q, stream.time_base);
  if (packet.pts != AV_NOPTS_VALUE) packet.pts += offset;
  if (packet.dts != AV_NOPTS_VALUE) packet.dts += offset;
  return jumps;
}

}  // namespace slipway::media::internal
