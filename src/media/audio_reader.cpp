#include "media/audio_reader.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <system_error>
#include <utility>

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/channel_layout.h>
#include <libavutil/dict.h>
#include <libavutil/log.h>
#include <libswresample/swresample.h>
}

#include "base/file_kind.hpp"

namespace slipway::media {

namespace {

using base::Code;
using base::fail;
using base::Result;

// Containers that hold their own sound only: a playlist with a song's name must not open other files or hosts.
constexpr const char* kContainers =
    "wav,w64,mp3,flac,ogg,aac,mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,aiff,au,caf,ac3,eac3,dts,dtshd,truehd,mlp,wv,ape,"
    "tta,tak,mpc,mpc8,asf,amr,amrnb,amrwb,avi,mpegts,mpeg,flv,nut,rm,voc,ircam,sox,pvf,oma,xwma,gsm,swf,ivf,dv,dsf,iff";

std::string reason_of(int error) {
  std::array<char, AV_ERROR_MAX_STRING_SIZE> text{};
  av_strerror(error, text.data(), text.size());
  return text.data();
}

/// Floats between two forms of sound. Layouts that say only how many channels they have are the usual ones.
std::unique_ptr<SwrContext, void (*)(SwrContext*)> converter_of(const AVChannelLayout& to, int to_rate,
                                                                const AVChannelLayout& from, AVSampleFormat format,
                                                                int from_rate) {
  AVChannelLayout known = {};
  if (from.order == AV_CHANNEL_ORDER_UNSPEC) {
    av_channel_layout_default(&known, from.nb_channels);
  } else {
    av_channel_layout_copy(&known, &from);
  }
  SwrContext* made = nullptr;
  AVChannelLayout wanted = {};  // libav asks for one that may be changed
  av_channel_layout_copy(&wanted, &to);
  int error = swr_alloc_set_opts2(&made, &wanted, AV_SAMPLE_FMT_FLT, to_rate, &known, format, from_rate, 0, nullptr);
  if (error >= 0) error = swr_init(made);
  av_channel_layout_uninit(&known);
  av_channel_layout_uninit(&wanted);
  if (error < 0) swr_free(&made);
  return {made, [](SwrContext* object) { swr_free(&object); }};
}

template <auto Function>
struct Freed {
  template <typename T>
  void operator()(T* pointer) const {
    Function(&pointer);
  }
};

}  // namespace

struct AudioReader::State {
  std::filesystem::path path;
  std::unique_ptr<AVFormatContext, Freed<avformat_close_input>> container;
  std::unique_ptr<AVCodecContext, Freed<avcodec_free_context>> decoder;
  std::unique_ptr<SwrContext, void (*)(SwrContext*)> converter{nullptr, [](SwrContext*) {}};
  AVChannelLayout given = {};  // of what is given out
  AVChannelLayout from = {};   // of what the converter takes
  AVSampleFormat from_format = AV_SAMPLE_FMT_NONE;
  int from_rate = 0;
  std::unique_ptr<AVPacket, Freed<av_packet_free>> packet{av_packet_alloc()};
  std::unique_ptr<AVFrame, Freed<av_frame_free>> frame{av_frame_alloc()};
  int stream = -1;
  std::vector<float> decoded;  // interleaved, not yet taken
  std::size_t taken = 0;       // floats of `decoded` already given out
  std::int64_t frames = 0;
  std::int64_t damaged = 0;
  std::int64_t stated_length = 0;            // in the stream's unit; 0: not said
  std::int64_t seen_begin = AV_NOPTS_VALUE;  // of the packets
  std::int64_t seen_end = 0;
  bool input_ended = false;
  bool ended = false;

  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    av_channel_layout_uninit(&given);
    av_channel_layout_uninit(&from);
  }
};

AudioReader::AudioReader(std::unique_ptr<State> state, AudioFormat format)
    : state_(std::move(state)), format_(std::move(format)) {}
AudioReader::~AudioReader() = default;

Result<std::unique_ptr<AudioReader>> AudioReader::open(const std::filesystem::path& path, int most_channels) {
  // FFmpeg writes to standard error on its own; what matters is told through warnings().
  av_log_set_level(AV_LOG_QUIET);
  auto state = std::make_unique<State>();
  state->path = path;
  AVFormatContext* container = nullptr;
  AVDictionary* options = nullptr;
  av_dict_set(&options, "protocol_whitelist", "file", 0);
  av_dict_set(&options, "format_whitelist", kContainers, 0);
  // "file:" keeps a name with a colon from being read as a protocol.
  int error = avformat_open_input(&container, ("file:" + path.string()).c_str(), nullptr, &options);
  av_dict_free(&options);
  if (error == AVERROR(ENOENT)) return fail(Code::kNotFound, "{}: no such file", path.string());
  if (error == AVERROR(EACCES)) return fail(Code::kPermissionDenied, "{}: not readable", path.string());
  if (error < 0) {
    return fail(Code::kInvalidArgument, "{}: expected an audio file (MP3, WAV, FLAC, M4A …), found {}", path.string(),
                base::kind_of_file(path));
  }
  state->container.reset(container);
  error = avformat_find_stream_info(container, nullptr);
  const AVCodec* codec = nullptr;
  if (error >= 0) error = av_find_best_stream(container, AVMEDIA_TYPE_AUDIO, -1, -1, &codec, 0);
  if (error < 0 || codec == nullptr) {
    return fail(Code::kInvalidArgument, "{}: no audio stream that can be decoded: found {}", path.string(),
                base::kind_of_file(path));
  }
  state->stream = error;
  const AVStream* stream = container->streams[state->stream];
  state->decoder.reset(avcodec_alloc_context3(codec));
  AVCodecContext* decoder = state->decoder.get();
  error = avcodec_parameters_to_context(decoder, stream->codecpar);
  decoder->pkt_timebase = stream->time_base;
  if (error >= 0) error = avcodec_open2(decoder, codec, nullptr);
  if (error < 0 || decoder->sample_rate <= 0 || decoder->ch_layout.nb_channels <= 0) {
    return fail(Code::kInvalidArgument, "{}: the {} stream cannot be decoded: {}", path.string(), codec->name,
                error < 0 ? reason_of(error) : "it names no sample rate or no channels");
  }

  AudioFormat format;
  format.sample_rate = decoder->sample_rate;
  format.file_channels = decoder->ch_layout.nb_channels;
  format.channels = most_channels > 0 ? std::min(format.file_channels, most_channels) : format.file_channels;
  std::array<char, 64> layout = {};
  if (av_channel_layout_describe(&decoder->ch_layout, layout.data(), layout.size()) > 0) format.layout = layout.data();
  format.codec = codec->name;
  if (stream->duration > 0) {
    format.frame_estimate = av_rescale_q(stream->duration, stream->time_base, AVRational{1, format.sample_rate});
    format.is_estimate_stated = container->duration_estimation_method == AVFMT_DURATION_FROM_STREAM;
    if (format.is_estimate_stated) state->stated_length = stream->duration;
  }
  if (format.channels < format.file_channels) {
    av_channel_layout_default(&state->given, format.channels);
  } else {
    av_channel_layout_copy(&state->given, &decoder->ch_layout);
    if (state->given.order == AV_CHANNEL_ORDER_UNSPEC) av_channel_layout_default(&state->given, format.channels);
  }
  return std::unique_ptr<AudioReader>(new AudioReader(std::move(state), std::move(format)));
}

/// Appends the decoded frame to what is given out; false when the converter keeps all of it for now.
Result<bool> AudioReader::convert_frame() {
  State& s = *state_;
  AVFrame& frame = *s.frame;
  const auto format = static_cast<AVSampleFormat>(frame.format);
  const bool is_same = s.converter && frame.sample_rate == s.from_rate && format == s.from_format &&
                       av_channel_layout_compare(&frame.ch_layout, &s.from) == 0;
  bool has_samples = false;
  if (!is_same) {
    SLIPWAY_ASSIGN(has_samples, drain_converter());
    s.converter = converter_of(s.given, format_.sample_rate, frame.ch_layout, format, frame.sample_rate);
    if (!s.converter) {
      return fail(Code::kInvalidArgument, "{}: sound of {} Hz with {} channels cannot become {} Hz with {}",
                  s.path.string(), frame.sample_rate, frame.ch_layout.nb_channels, format_.sample_rate,
                  format_.channels);
    }
    s.from_rate = frame.sample_rate;
    s.from_format = format;
    av_channel_layout_copy(&s.from, &frame.ch_layout);
  }
  const auto channels = static_cast<std::size_t>(format_.channels);
  const std::size_t start = s.decoded.size();
  const int room = swr_get_out_samples(s.converter.get(), frame.nb_samples);
  if (room < 0) return fail(Code::kInternal, "{}: {}", s.path.string(), reason_of(room));
  s.decoded.resize(start + static_cast<std::size_t>(room) * channels);
  auto* out = reinterpret_cast<std::uint8_t*>(s.decoded.data() + start);
  const int converted = swr_convert(s.converter.get(), &out, room,
                                    const_cast<const std::uint8_t**>(frame.extended_data), frame.nb_samples);
  if (converted < 0) return fail(Code::kInternal, "{}: {}", s.path.string(), reason_of(converted));
  s.decoded.resize(start + static_cast<std::size_t>(converted) * channels);
  s.frames += converted;
  av_frame_unref(&frame);
  return has_samples || converted > 0;
}

/// Appends what a converter to another rate holds back; false when there is nothing.
Result<bool> AudioReader::drain_converter() {
  State& s = *state_;
  if (!s.converter || s.from_rate == format_.sample_rate) return false;
  const auto channels = static_cast<std::size_t>(format_.channels);
  const std::size_t start = s.decoded.size();
  const int room = swr_get_out_samples(s.converter.get(), 0);
  if (room <= 0) return false;
  s.decoded.resize(start + static_cast<std::size_t>(room) * channels);
  auto* out = reinterpret_cast<std::uint8_t*>(s.decoded.data() + start);
  const int converted = swr_convert(s.converter.get(), &out, room, nullptr, 0);
  s.decoded.resize(start + static_cast<std::size_t>(std::max(0, converted)) * channels);
  s.frames += std::max(0, converted);
  return converted > 0;
}

Result<bool> AudioReader::decode_more() {
  State& s = *state_;
  while (true) {
    int error = avcodec_receive_frame(s.decoder.get(), s.frame.get());
    if (error == 0) {
      SLIPWAY_ASSIGN(const bool has_samples, convert_frame());
      if (has_samples) return true;
      continue;
    }
    if (error != AVERROR(EAGAIN) && error != AVERROR_EOF) ++s.damaged;
    if (error == AVERROR_EOF || s.input_ended) return drain_converter();
    error = av_read_frame(s.container.get(), s.packet.get());
    if (error < 0) {
      if (error == AVERROR(EIO)) return fail(Code::kInternal, "{}: read error", s.path.string());
      s.input_ended = true;
      avcodec_send_packet(s.decoder.get(), nullptr);
      continue;
    }
    if (s.packet->stream_index == s.stream) {
      const std::int64_t begin = s.packet->pts != AV_NOPTS_VALUE ? s.packet->pts : s.seen_end;
      if (s.seen_begin == AV_NOPTS_VALUE) s.seen_begin = begin;
      s.seen_end = std::max(s.seen_end, begin + std::max<std::int64_t>(0, s.packet->duration));
      error = avcodec_send_packet(s.decoder.get(), s.packet.get());
      if (error < 0 && error != AVERROR(EAGAIN)) ++s.damaged;
    }
    av_packet_unref(s.packet.get());
  }
}

void AudioReader::note_end() {
  State& s = *state_;
  s.ended = true;
  if (s.damaged > 0) {
    warnings_.push_back(fmt::format("{}: {} damaged packets were left out", s.path.string(), s.damaged));
  }
  if (s.stated_length == 0) return;
  // What is decoded is less than what is stored by the encoder's delay, so packets are counted; a twentieth of a second
  // is a cut.
  const std::int64_t seen = s.seen_begin == AV_NOPTS_VALUE ? 0 : s.seen_end - s.seen_begin;
  const double unit = av_q2d(s.container->streams[s.stream]->time_base);
  const double missing_s = static_cast<double>(s.stated_length - seen) * unit;
  constexpr double kNotableSeconds = 0.05;
  if (missing_s > kNotableSeconds) {
    const double seconds = static_cast<double>(s.frames) / format_.sample_rate;
    warnings_.push_back(fmt::format("{}: the file ends after {:.2f} s, its header promises {:.2f} s", s.path.string(),
                                    seconds, seconds + missing_s));
  }
}

Result<std::size_t> AudioReader::read(std::span<float> interleaved) {
  State& s = *state_;
  const auto channels = static_cast<std::size_t>(format_.channels);
  const std::size_t wanted = interleaved.size() / channels * channels;
  std::size_t filled = 0;
  while (filled < wanted) {
    if (s.taken == s.decoded.size()) {
      s.decoded.clear();
      s.taken = 0;
      if (s.ended) break;
      SLIPWAY_ASSIGN(const bool more, decode_more());
      if (!more) {
        note_end();
        break;
      }
    }
    const std::size_t count = std::min(wanted - filled, s.decoded.size() - s.taken);
    std::memcpy(interleaved.data() + filled, s.decoded.data() + s.taken, count * sizeof(float));
    filled += count;
    s.taken += count;
  }
  return filled / channels;
}

}  // namespace slipway::media
