#include <algorithm>
#include <cmath>

extern "C" {
#include <libavutil/opt.h>
}

#include "base/files.hpp"
#include "base/output_file.hpp"
#include "base/text.hpp"
#include "media/internal/colours.hpp"
#include "media/internal/descriptor_io.hpp"
#include "media/internal/libav.hpp"
#include "media/internal/video_extras.hpp"
#include "media/video_file.hpp"

namespace slipway::media {
namespace {

using namespace internal;

/// The unit of a writer's clock: the source's own, so that its times are met exactly. Where it has none, or one that
/// formats do not hold: 90 kHz.
AVRational clock_of(const VideoInfo& source, AVRational rate, const AVCodec& codec, std::string_view ending) {
  constexpr int kFinest = 1'000'000, kFinestOfMpeg4 = 65535;
  constexpr AVRational kUsual = {1, 90000};
  if (ending == ".avi") return av_inv_q(rate);
  AVRational unit = {source.time_numerator, source.time_denominator};
  if (unit.num < 1 || unit.den < 1 || unit.den / unit.num > kFinest || unit.den > kFinest * 64) unit = kUsual;
  return codec.id != AV_CODEC_ID_MPEG4 || unit.den <= kFinestOfMpeg4 ? unit : av_inv_q(rate);
}

}  // namespace

struct VideoWriter::State {
  explicit State(base::OutputFile made) : file(std::move(made)) {}

  base::OutputFile file;
  std::string name = file.path().string();
  AVFormatContext* output = nullptr;
  CodecContext encoder;
  Packet packet{av_packet_alloc()};
  Frame frame{av_frame_alloc()};
  SwsContext* scaler = nullptr;
  AVStream* stream = nullptr;
  Packet waiting{av_packet_alloc()};  // until the time of the next one says how long it lasts
  bool is_waiting = false;
  std::int64_t frame_units = 1;  // that a frame lasts by the rate
  std::int64_t last_pts = -1;
  std::int64_t last_duration = 0;
  std::shared_ptr<VideoExtras> extras;
  AVStream* sound = nullptr;
  std::int64_t next_sound = AV_NOPTS_VALUE;
  std::string sound_note;
  bool is_finished = false;

  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    sws_freeContext(scaler);
    if (output != nullptr) {
      close_descriptor(output->pb);
      avformat_free_context(output);
    }
  }

  [[nodiscard]] std::unexpected<base::Error> failure(std::string_view what, int status) const {
    base::Error error = base::errno_error(AVUNERROR(status), what);
    error.message = fmt::format("{}: {}: {}", name, what, libav_reason(status));
    return std::unexpected(std::move(error));
  }

  [[nodiscard]] std::int64_t units_of(double seconds) const {
    constexpr double kMost = 1e15;
    return std::llround(std::clamp(seconds / av_q2d(encoder->time_base), -kMost, kMost));
  }

  /// Encodes (nullptr: drains) and writes what comes out.
  base::Result<void> encode(const AVFrame* next) {
    int status = avcodec_send_frame(encoder.get(), next);
    while (status >= 0) {
      status = avcodec_receive_packet(encoder.get(), packet.get());
      if (status == AVERROR(EAGAIN) || status == AVERROR_EOF) return {};
      if (status < 0) break;
      if (is_waiting) SLIPWAY_TRY(write_waiting(packet->pts - waiting->pts));
      av_packet_move_ref(waiting.get(), packet.get());
      is_waiting = true;
    }
    return failure("a frame cannot be written", status);
  }

  base::Result<void> write_waiting(std::int64_t duration) {
    waiting->duration = duration;
    waiting->stream_index = stream->index;
    av_packet_rescale_ts(waiting.get(), encoder->time_base, stream->time_base);
    is_waiting = false;
    const int status = av_interleaved_write_frame(output, waiting.get());
    if (status < 0) return failure("a frame cannot be written", status);
    return {};
  }

  /// Gives the output the source's sound, where its container takes it.
  base::Result<void> add_sound(std::string_view ending) {
    const AVCodecParameters* parameters = extras ? extras->sound() : nullptr;
    if (parameters == nullptr) return {};
    if (avformat_query_codec(output->oformat, parameters->codec_id, FF_COMPLIANCE_EXPERIMENTAL) != 1) {
      sound_note = fmt::format("{}: the sound is left out, as {} does not hold {}{}", name, ending,
                               avcodec_get_name(parameters->codec_id),
                               ending == ".mkv" ? "" : ": name a file that ends in .mkv");
      return {};
    }
    sound = avformat_new_stream(output, nullptr);
    if (sound == nullptr || avcodec_parameters_copy(sound->codecpar, parameters) < 0) {
      return base::fail(base::Reason::kOutOfMemory, "{}: no memory for its sound", name);
    }
    // The source container's mark of the codec means nothing, or something else, in this one.
    const unsigned tag = parameters->codec_tag;
    const bool is_known = output->oformat->codec_tag != nullptr &&
                          av_codec_get_id(output->oformat->codec_tag, tag) == parameters->codec_id;
    sound->codecpar->codec_tag = is_known ? tag : 0;
    sound->time_base = extras->time_base();
    output->strict_std_compliance = FF_COMPLIANCE_EXPERIMENTAL;  // to ffmpeg some codecs in MP4 still are
    return {};
  }

  /// Copies what was read of the sound so far.
  base::Result<void> write_sound() {
    while (Packet next = extras ? extras->extract() : nullptr) {
      if (sound == nullptr) continue;
      av_packet_rescale_ts(next.get(), extras->time_base(), sound->time_base);
      if (next->dts == AV_NOPTS_VALUE) next->dts = next->pts != AV_NOPTS_VALUE ? next->pts : next_sound;
      if (next->dts == AV_NOPTS_VALUE) continue;  // at no time
      // Where recordings were joined their ends may overlap, which containers do not take.
      if (next_sound != AV_NOPTS_VALUE) next->dts = std::max(next->dts, next_sound);
      next->pts = next->pts == AV_NOPTS_VALUE ? next->dts : std::max(next->pts, next->dts);
      next_sound = next->dts + 1;
      next->stream_index = sound->index;
      next->pos = -1;
      const int status = av_interleaved_write_frame(output, next.get());
      if (status < 0) return failure("the sound cannot be written", status);
    }
    return {};
  }
};

VideoWriter::VideoWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
VideoWriter::~VideoWriter() = default;
VideoWriter::VideoWriter(VideoWriter&&) noexcept = default;
VideoWriter& VideoWriter::operator=(VideoWriter&&) noexcept = default;

base::Result<VideoWriter> VideoWriter::create(const std::filesystem::path& path, int width, int height,
                                              int rate_numerator, int rate_denominator) {
  VideoInfo source;
  source.rate_numerator = rate_numerator;
  source.rate_denominator = rate_denominator;
  // Images that come at a rate stand at its multiples.
  source.time_numerator = rate_denominator;
  source.time_denominator = rate_numerator;
  return create(path, width, height, source);
}

base::Result<VideoWriter> VideoWriter::create(const std::filesystem::path& path, int width, int height,
                                              const VideoInfo& source) {
  quiet_libav();
  const std::string ending = base::lowered(path.extension().string());
  if (ending != ".mp4" && ending != ".mkv" && ending != ".mov" && ending != ".avi") {
    return base::fail(base::Code::kInvalidArgument, "{}: expected a name that ends in .mp4, .mkv, .mov or .avi",
                      path.string());
  }
  if (width < 2 || height < 2) {
    return base::fail(base::Code::kInvalidArgument, "{}: a video of {}x{}: both sides must be 2 or more", path.string(),
                      width, height);
  }
  SLIPWAY_ASSIGN(base::OutputFile file, base::OutputFile::create(path));
  auto state = std::make_unique<State>(std::move(file));
  const AVCodec* codec = avcodec_find_encoder_by_name("libx264");
  if (codec == nullptr) codec = avcodec_find_encoder(AV_CODEC_ID_MPEG4);
  state->encoder.reset(codec != nullptr ? avcodec_alloc_context3(codec) : nullptr);
  if (!state->encoder)
    return base::fail(base::Code::kUnavailable, "this machine's libavcodec encodes neither H.264 nor MPEG-4");

  int status = avformat_alloc_output_context2(&state->output, nullptr, nullptr, ("x" + ending).c_str());
  if (status < 0) return state->failure("no container for this name", status);
  AVCodecContext& encoder = *state->encoder;
  encoder.width = width & ~1;
  encoder.height = height & ~1;
  encoder.pix_fmt = AV_PIX_FMT_YUV420P;
  const bool has_rate = source.rate_numerator > 0 && source.rate_denominator > 0;
  const AVRational rate = has_rate ? AVRational{source.rate_numerator, source.rate_denominator} : AVRational{25, 1};
  encoder.framerate = rate;
  encoder.time_base = clock_of(source, rate, *codec, ending);
  encoder.gop_size = 50;
  encoder.max_b_frames = 0;  // frames come out in the order of their times, so each has its own length
  if (source.pixel_width > 0 && source.pixel_height > 0) {
    encoder.sample_aspect_ratio = {source.pixel_width, source.pixel_height};
  }
  encoder.color_primaries = static_cast<AVColorPrimaries>(source.colours.primaries);
  encoder.color_trc = static_cast<AVColorTransferCharacteristic>(source.colours.transfer);
  encoder.colorspace = written_matrix(source.colours.matrix, height);
  encoder.color_range = source.colours.is_full_range ? AVCOL_RANGE_JPEG : AVCOL_RANGE_MPEG;
  if (codec->id == AV_CODEC_ID_H264) {
    av_opt_set(encoder.priv_data, "preset", "veryfast", 0);
    av_opt_set(encoder.priv_data, "crf", "20", 0);
  } else {
    encoder.bit_rate = std::int64_t{4} * width * height;
  }
  if ((state->output->oformat->flags & AVFMT_GLOBALHEADER) != 0) encoder.flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
  status = avcodec_open2(&encoder, codec, nullptr);
  if (status < 0) return state->failure("the encoder refuses this size or rate", status);
  state->stream = avformat_new_stream(state->output, nullptr);
  if (state->stream == nullptr || avcodec_parameters_from_context(state->stream->codecpar, &encoder) < 0) {
    return base::fail(base::Reason::kOutOfMemory, "{}: no memory for its stream", state->name);
  }
  state->stream->time_base = encoder.time_base;
  state->stream->avg_frame_rate = rate;
  state->stream->sample_aspect_ratio = encoder.sample_aspect_ratio;
  state->frame_units = std::max<std::int64_t>(1, state->units_of(av_q2d(av_inv_q(rate))));
  state->extras = source.extras;
  SLIPWAY_TRY(state->add_sound(ending));
  state->output->pb = write_to_descriptor(state->file.descriptor(), state->file.is_stream());
  if (state->output->pb == nullptr) return base::fail(base::Reason::kOutOfMemory, "{}: no memory for it", state->name);
  AVDictionary* options = nullptr;
  // The index of an MP4 is written last into its beginning: a stream gets one for each piece.
  if (state->file.is_stream()) av_dict_set(&options, "movflags", "frag_keyframe+empty_moov+default_base_moof", 0);
  status = avformat_write_header(state->output, &options);
  av_dict_free(&options);
  if (status < 0) return state->failure("the header cannot be written", status);

  state->frame->format = AV_PIX_FMT_YUV420P;
  state->frame->width = encoder.width;
  state->frame->height = encoder.height;
  status = av_frame_get_buffer(state->frame.get(), 0);
  if (status < 0) return state->failure("no memory for frames", status);
  return VideoWriter(std::move(state));
}

base::Result<void> VideoWriter::write(ImageView image) {
  const State& state = *state_;
  const std::int64_t next = state.last_pts < 0 ? 0 : state.last_pts + state.frame_units;
  return write(image, static_cast<double>(next) * av_q2d(state.encoder->time_base), 0);
}

base::Result<void> VideoWriter::write(ImageView image, double time_s, double duration_s) {
  State& state = *state_;
  if (image.empty())
    return base::fail(base::Code::kInvalidArgument, "{}: an empty picture cannot be written", state.name);
  const int width = state.encoder->width, height = state.encoder->height;
  // Odd sides: the last column and row are left out instead of scaling everything by a hair.
  const int from_width = image.width == width + 1 ? width : image.width;
  const int from_height = image.height == height + 1 ? height : image.height;
  state.scaler = sws_getCachedContext(state.scaler, from_width, from_height, AV_PIX_FMT_RGB24, width, height,
                                      AV_PIX_FMT_YUV420P, SWS_BILINEAR | SWS_ACCURATE_RND, nullptr, nullptr, nullptr);
  if (state.scaler == nullptr || av_frame_make_writable(state.frame.get()) < 0) {
    return base::fail(base::Reason::kOutOfMemory, "{}: no memory to convert a frame", state.name);
  }
  sws_setColorspaceDetails(state.scaler, sws_getCoefficients(SWS_CS_DEFAULT), 1,
                           coefficients_of(state.encoder->colorspace),
                           state.encoder->color_range == AVCOL_RANGE_JPEG ? 1 : 0, 0, 1 << 16, 1 << 16);
  const std::uint8_t* const from[4] = {image.data, nullptr, nullptr, nullptr};
  const int strides[4] = {static_cast<int>(image.stride_bytes), 0, 0, 0};
  sws_scale(state.scaler, from, strides, 0, from_height, state.frame->data, state.frame->linesize);
  SLIPWAY_TRY(state.write_sound());
  state.frame->pts = std::max(state.last_pts + 1, state.units_of(time_s));
  state.last_pts = state.frame->pts;
  state.last_duration = state.units_of(duration_s);
  return state.encode(state.frame.get());
}

base::Result<void> VideoWriter::finish() {
  State& state = *state_;
  if (state.is_finished) return {};
  state.is_finished = true;
  SLIPWAY_TRY(state.encode(nullptr));
  if (state.is_waiting) {
    const std::int64_t by_source = state.extras ? state.units_of(state.extras->end_s()) - state.waiting->pts : 0;
    const std::int64_t duration = std::max(state.last_duration, by_source);
    SLIPWAY_TRY(state.write_waiting(duration > 0 ? duration : state.frame_units));
  }
  SLIPWAY_TRY(state.write_sound());
  const int status = av_write_trailer(state.output);
  avio_flush(state.output->pb);
  if (status < 0 || state.output->pb->error < 0) {
    return state.failure("the index cannot be written", status < 0 ? status : state.output->pb->error);
  }
  return state.file.publish();
}

const std::string& VideoWriter::sound_note() const {
  return state_->sound_note;
}

}  // namespace slipway::media
