#include "media/internal/stated_end.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <optional>
#include <string_view>

namespace slipway::media::internal {
namespace {

constexpr std::int64_t kEbmlHeader = 0x1A45DFA3, kSegment = 0x18538067;

/// A number of EBML: the zeros before the first one bit say how many bytes follow. All ones: unknown.
std::optional<std::int64_t> read_number(AVIOContext& file, bool has_marker) {
  const int first = avio_r8(&file);
  if (first == 0) return std::nullopt;
  const int following = std::countl_zero(static_cast<std::uint8_t>(first));
  const int bits = 7 * (following + 1);
  std::int64_t value = has_marker ? first : first & (0x7F >> following);
  for (int i = 0; i < following; ++i) value = (value << 8) | avio_r8(&file);
  if (!has_marker && value == (std::int64_t{1} << bits) - 1) return std::nullopt;
  return value;
}

/// Where a Matroska file ends by what it says of itself; nothing when it does not (live recordings) or is no file.
std::optional<std::int64_t> matroska_end(AVIOContext& file) {
  if ((file.seekable & AVIO_SEEKABLE_NORMAL) == 0 || avio_seek(&file, 0, SEEK_SET) < 0) return std::nullopt;
  if (read_number(file, true) != kEbmlHeader) return std::nullopt;
  const auto header = read_number(file, false);
  if (!header || avio_skip(&file, *header) < 0 || read_number(file, true) != kSegment) return std::nullopt;
  const auto segment = read_number(file, false);
  if (!segment) return std::nullopt;
  return avio_tell(&file) + *segment;
}

}  // namespace

StatedEnd::StatedEnd(const AVFormatContext& input, int stream, double frames_per_second)
    : stream_(stream), frame_s_(frames_per_second > 0 ? 1 / frames_per_second : 0) {
  const std::string_view container = input.iformat->name;
  const AVStream& images = *input.streams[stream];
  if (container.starts_with("mov,") && images.duration > 0) {
    source_ = Source::kStream;
    const std::int64_t start = images.start_time != AV_NOPTS_VALUE ? images.start_time : 0;
    stated_s_ = static_cast<double>(start + images.duration) * av_q2d(images.time_base);
  } else if (container.starts_with("matroska,") && input.duration > 0 &&
             input.duration_estimation_method == AVFMT_DURATION_FROM_STREAM) {
    source_ = Source::kMatroska;
    stated_s_ = static_cast<double>(input.duration) / AV_TIME_BASE;
  }
}

void StatedEnd::saw(const AVFormatContext& input, const AVPacket& packet) {
  const bool is_image = packet.stream_index == stream_;
  if (source_ == Source::kNone || (source_ == Source::kStream && !is_image)) return;
  frames_ += is_image ? 1 : 0;
  const std::int64_t time = packet.pts != AV_NOPTS_VALUE ? packet.pts : packet.dts;
  if (time == AV_NOPTS_VALUE) return;
  const double unit = av_q2d(input.streams[packet.stream_index]->time_base);
  double length_s = static_cast<double>(packet.duration) * unit;
  if (is_image && packet.duration <= 0) length_s = frame_s_;
  const double end_s = static_cast<double>(time) * unit + length_s;
  if (is_image) longest_gap_s_ = std::max(longest_gap_s_, end_s - furthest_end_s_);
  furthest_end_s_ = std::max(furthest_end_s_, end_s);
}

double StatedEnd::missing_s(AVFormatContext& input) const {
  constexpr double kNotableSeconds = 0.5;
  const double missing = stated_s_ - furthest_end_s_;
  if (source_ == Source::kNone || missing <= 2 * frame_s_) return 0;
  const std::int64_t stated_frames = input.streams[stream_]->nb_frames;
  if (source_ == Source::kStream && stated_frames > 0) return frames_ < stated_frames ? missing : 0;
  if (source_ == Source::kMatroska && input.pb != nullptr) {
    const std::int64_t size = avio_size(input.pb);
    const auto end = matroska_end(*input.pb);
    if (end && size > 0) return size < *end ? missing : 0;
  }
  return missing > std::max(kNotableSeconds, 2 * longest_gap_s_) ? missing : 0;
}

}  // namespace slipway::media::internal
