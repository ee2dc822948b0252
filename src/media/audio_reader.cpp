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
#include <libavutil/log.h>
#include <libswresample/swresample.h>
}

namespace slipway::media {

namespace {

using base::Code;
using base::fail;
using base::Result;

std::string reason_of(int error) {
  std::array<char, AV_ERROR_MAX_STRING_SIZE> text{};
  av_strerror(error, text.data(), text.size());
  return text.data();
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
  std::unique_ptr<SwrContext, Freed<swr_free>> converter;
  std::unique_ptr<AVPacket, Freed<av_packet_free>> packet{av_packet_alloc()};
  std::unique_ptr<AVFrame, Freed<av_frame_free>> frame{av_frame_alloc()};
  int stream = -1;
  std::vector<float> decoded;  // interleaved, not yet taken
  std::size_t taken = 0;       // floats of `decoded` already given out
  std::int64_t frames = 0;
  std::int64_t damaged = 0;
  bool input_ended = false;
  bool ended = false;
};

AudioReader::AudioReader(std::unique_ptr<State> state, AudioFormat format)
    : state_(std::move(state)), format_(std::move(format)) {}
AudioReader::~AudioReader() = default;

Result<std::unique_ptr<AudioReader>> AudioReader::open(const std::filesystem::path& path) {
  // FFmpeg writes to standard error on its own; what matters is told through warnings().
  av_log_set_level(AV_LOG_QUIET);
  auto state = std::make_unique<State>();
  state->path = path;
  AVFormatContext* container = nullptr;
  // "file:" keeps a name with a colon from being read as a protocol.
  int error = avformat_open_input(&container, ("file:" + path.string()).c_str(), nullptr, nullptr);
  if (error == AVERROR(ENOENT)) return fail(Code::kNotFound, "{}: no such file", path.string());
  if (error == AVERROR(EACCES)) return fail(Code::kPermissionDenied, "{}: not readable", path.string());
  if (error < 0) {
    return fail(Code::kInvalidArgument, "{}: expected an audio file (MP3, WAV, FLAC, M4A …): {}", path.string(),
                reason_of(error));
  }
  state->container.reset(container);
  error = avformat_find_stream_info(container, nullptr);
  const AVCodec* codec = nullptr;
  if (error >= 0) error = av_find_best_stream(container, AVMEDIA_TYPE_AUDIO, -1, -1, &codec, 0);
  if (error < 0 || codec == nullptr) {
    return fail(Code::kInvalidArgument, "{}: no audio stream that can be decoded: {}", path.string(), reason_of(error));
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
  format.channels = decoder->ch_layout.nb_channels;
  format.codec = codec->name;
  if (stream->duration > 0) {
    format.frame_estimate = av_rescale_q(stream->duration, stream->time_base, AVRational{1, format.sample_rate});
  }
  SwrContext* converter = nullptr;
  error = swr_alloc_set_opts2(&converter, &decoder->ch_layout, AV_SAMPLE_FMT_FLT, format.sample_rate,
                              &decoder->ch_layout, decoder->sample_fmt, format.sample_rate, 0, nullptr);
  state->converter.reset(converter);
  if (error >= 0) error = swr_init(converter);
  if (error < 0) return fail(Code::kInternal, "{}: samples cannot become floats: {}", path.string(), reason_of(error));
  return std::unique_ptr<AudioReader>(new AudioReader(std::move(state), std::move(format)));
}

Result<bool> AudioReader::decode_more() {
  State& s = *state_;
  while (true) {
    int error = avcodec_receive_frame(s.decoder.get(), s.frame.get());
    if (error == 0) {
      const AVFrame& frame = *s.frame;
      if (frame.sample_rate != format_.sample_rate || frame.ch_layout.nb_channels != format_.channels) {
        return fail(Code::kInvalidArgument,
                    "{}: the stream changes midway from {} Hz, {} channels to {} Hz, {} channels", s.path.string(),
                    format_.sample_rate, format_.channels, frame.sample_rate, frame.ch_layout.nb_channels);
      }
      const auto channels = static_cast<std::size_t>(format_.channels);
      const std::size_t start = s.decoded.size();
      s.decoded.resize(start + static_cast<std::size_t>(frame.nb_samples) * channels);
      auto* out = reinterpret_cast<std::uint8_t*>(s.decoded.data() + start);
      const int converted = swr_convert(s.converter.get(), &out, frame.nb_samples,
                                        const_cast<const std::uint8_t**>(frame.extended_data), frame.nb_samples);
      if (converted < 0) return fail(Code::kInternal, "{}: {}", s.path.string(), reason_of(converted));
      s.decoded.resize(start + static_cast<std::size_t>(converted) * channels);
      s.frames += converted;
      av_frame_unref(s.frame.get());
      if (converted > 0) return true;
      continue;
    }
    if (error == AVERROR_EOF) return false;
    if (error != AVERROR(EAGAIN)) {
      ++s.damaged;
      if (s.input_ended) return false;
    }
    if (s.input_ended) return false;
    error = av_read_frame(s.container.get(), s.packet.get());
    if (error < 0) {
      if (error == AVERROR(EIO)) return fail(Code::kInternal, "{}: read error", s.path.string());
      s.input_ended = true;
      avcodec_send_packet(s.decoder.get(), nullptr);
      continue;
    }
    if (s.packet->stream_index == s.stream) {
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
  // Encoder delay makes small differences; a twentieth of a second is a cut.
  if (format_.frame_estimate && s.frames + format_.sample_rate / 20 < *format_.frame_estimate) {
    warnings_.push_back(fmt::format("{}: the file ends after {:.2f} s, its header promises {:.2f} s", s.path.string(),
                                    static_cast<double>(s.frames) / format_.sample_rate,
                                    static_cast<double>(*format_.frame_estimate) / format_.sample_rate));
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
