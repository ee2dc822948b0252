#include "media/video_file.hpp"

extern "C" {
#include <libavutil/display.h>
#include <libavutil/opt.h>
}

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>

#include "base/files.hpp"
#include "base/output_file.hpp"
#include "base/text.hpp"
#include "media/input_stream.hpp"
#include "media/internal/codecs.hpp"
#include "media/internal/descriptor_io.hpp"
#include "media/internal/libav.hpp"
#include "media/internal/stated_end.hpp"

namespace slipway::media {
namespace {

using namespace internal;

// A playlist inside an upload must not open other files or hosts: containers that hold their own data only.
constexpr const char* kContainers =
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,ogg,ivf,h264,hevc,m4v,mjpeg,mpjpeg,"
    "yuv4mpegpipe,"
    "gif,apng,image2pipe,jpeg_pipe,png_pipe,bmp_pipe,webp_pipe,asf,nut,obu,av1";

struct CloseInput {
  void operator()(AVFormatContext* object) const { avformat_close_input(&object); }
};

/// The stored rotation in quarter turns, as the orientation that undoes it.
Orientation rotation_of(const AVStream& stream) {
  const auto* matrix =
      reinterpret_cast<const std::int32_t*>(av_stream_get_side_data(&stream, AV_PKT_DATA_DISPLAYMATRIX, nullptr));
  if (matrix == nullptr) return Orientation::kUpright;
  const double degrees = av_display_rotation_get(matrix);  // counter-clockwise
  if (!std::isfinite(degrees)) return Orientation::kUpright;
  switch (((static_cast<int>(std::lround(degrees / 90.0)) % 4) + 4) % 4) {
    case 1:
      return Orientation::kQuarterLeft;
    case 2:
      return Orientation::kUpsideDown;
    case 3:
      return Orientation::kQuarterRight;
    default:
      return Orientation::kUpright;
  }
}

base::Error open_error(const std::string& name, int status) {
  if (status == AVERROR(ENOENT)) return {base::Code::kNotFound, name + ": no such file"};
  if (status == AVERROR(EACCES)) return {base::Code::kPermissionDenied, name + ": may not be read"};
  if (status == AVERROR_INVALIDDATA || status == AVERROR_EOF) {
    return {base::Code::kDataLoss, name + ": not a video, or its index is missing because the recording broke off (" +
                                       libav_reason(status) + ")"};
  }
  return {base::Code::kInvalidArgument, name + ": cannot be opened as a video: " + libav_reason(status)};
}

}  // namespace

struct VideoReader::State {
  std::string name;
  ImageLimits limits;
  std::stop_token stop;
  std::unique_ptr<PipeInput> pipe;  // of a stream
  std::unique_ptr<AVFormatContext, CloseInput> input;
  CodecContext decoder;
  Packet packet{av_packet_alloc()};
  Frame frame{av_frame_alloc()};
  SwsContext* scaler = nullptr;  // sws_getCachedContext takes and gives ownership
  SwsContext* stretcher = nullptr;
  int side = 0;  // of the square; 0: none is asked for
  int stream_index = -1;
  Orientation rotation = Orientation::kUpright;
  Image stored, stored_square;  // before they are turned
  VideoInfo info;
  std::int64_t next_index = 0;
  double first_time_s = 0;
  StatedEnd stated_end;
  double missing_s = 0;
  std::int64_t damaged = 0;
  bool broke_off = false;
  bool is_draining = false;

  ~State() {
    sws_freeContext(scaler);
    sws_freeContext(stretcher);
  }
  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  /// Sends packets until a frame comes out; false at the end.
  bool receive() {
    // A decoder that fails again and again while it is emptied would otherwise never end.
    constexpr int kMostFailures = 1000;
    for (int failures = 0; failures < kMostFailures;) {
      const int status = avcodec_receive_frame(decoder.get(), frame.get());
      if (status >= 0) {
        if ((frame->flags & AV_FRAME_FLAG_CORRUPT) != 0 || frame->decode_error_flags != 0) ++damaged;
        return true;
      }
      if (status == AVERROR_EOF || (is_draining && status == AVERROR(EAGAIN))) return false;
      if (status != AVERROR(EAGAIN)) {
        ++damaged;
        ++failures;
      }
      feed();
    }
    return false;
  }

  void feed() {
    while (!is_draining) {
      const int status = av_read_frame(input.get(), packet.get());
      if (status < 0) {
        broke_off = !stop.stop_requested() && (status != AVERROR_EOF || (input->pb != nullptr && input->pb->error < 0 &&
                                                                         input->pb->error != AVERROR_EOF));
        is_draining = true;
        missing_s = stop.stop_requested() ? 0 : stated_end.missing_s(*input);
        avcodec_send_packet(decoder.get(), nullptr);
        return;
      }
      stated_end.saw(*input, *packet);
      const bool is_ours = packet->stream_index == stream_index;
      if (is_ours && (packet->flags & AV_PKT_FLAG_CORRUPT) != 0) ++damaged;
      const int sent = is_ours ? avcodec_send_packet(decoder.get(), packet.get()) : 0;
      av_packet_unref(packet.get());
      if (!is_ours) continue;
      if (sent >= 0) return;
      ++damaged;
    }
  }

  base::Result<void> convert(Image& image) {
    SLIPWAY_TRY(check_size(frame->width, frame->height, limits));
    SLIPWAY_TRY(image.resize(frame->width, frame->height));
    const auto format = static_cast<AVPixelFormat>(frame->format);
    scaler =
        sws_getCachedContext(scaler, frame->width, frame->height, format, frame->width, frame->height, AV_PIX_FMT_RGB24,
                             SWS_BILINEAR | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT, nullptr, nullptr, nullptr);
    if (scaler == nullptr) {
      return base::fail(base::Code::kUnimplemented, "{}: frames of {}x{} pixels of the kind {} are not read", name,
                        frame->width, frame->height, av_get_pix_fmt_name(format));
    }
    // What the stream says of its colours; silence means BT.709 for high definition and BT.601 below.
    const bool is_high_definition = frame->height >= 720;
    scale(scaler, is_high_definition ? SWS_CS_ITU709 : SWS_CS_ITU601, image);
    return {};
  }

  /// The decoded frame as a square; it was converted before, so its size and kind are known to be good.
  base::Result<void> stretch(Image& image) {
    SLIPWAY_TRY(image.resize(side, side));
    stretcher = sws_getCachedContext(stretcher, frame->width, frame->height, static_cast<AVPixelFormat>(frame->format),
                                     side, side, AV_PIX_FMT_RGB24, SWS_BILINEAR, nullptr, nullptr, nullptr);
    if (stretcher == nullptr) {
      return base::fail(base::Code::kUnimplemented, "{}: frames of {}x{} pixels cannot be stretched to {}x{}", name,
                        frame->width, frame->height, side, side);
    }
    scale(stretcher, SWS_CS_ITU601, image);
    return {};
  }

  /// @param unstated  the matrix where the stream says nothing of its colours
  void scale(SwsContext* context, int unstated, Image& image) const {
    const auto format = static_cast<AVPixelFormat>(frame->format);
    const int said = frame->colorspace;
    const int matrix = said == AVCOL_SPC_UNSPECIFIED                                 ? unstated
                       : said == AVCOL_SPC_BT709                                     ? SWS_CS_ITU709
                       : said == AVCOL_SPC_BT2020_NCL || said == AVCOL_SPC_BT2020_CL ? SWS_CS_BT2020
                                                                                     : SWS_CS_ITU601;
    const int is_full_range = frame->color_range == AVCOL_RANGE_JPEG || format == AV_PIX_FMT_YUVJ420P ||
                              format == AV_PIX_FMT_YUVJ422P || format == AV_PIX_FMT_YUVJ444P;
    sws_setColorspaceDetails(context, sws_getCoefficients(matrix), is_full_range, sws_getCoefficients(SWS_CS_DEFAULT),
                             1, 0, 1 << 16, 1 << 16);
    std::uint8_t* const to[4] = {image.row(0), nullptr, nullptr, nullptr};
    const int strides[4] = {static_cast<int>(image.stride_bytes()), 0, 0, 0};
    sws_scale(context, frame->data, frame->linesize, 0, frame->height, to, strides);
  }
};

VideoReader::VideoReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
VideoReader::~VideoReader() = default;
VideoReader::VideoReader(VideoReader&&) noexcept = default;
VideoReader& VideoReader::operator=(VideoReader&&) noexcept = default;

base::Result<VideoReader> VideoReader::open(const std::filesystem::path& path, const ImageLimits& limits,
                                            std::stop_token stop) {
  quiet_libav();
  auto state = std::make_unique<State>();
  state->name = path == "-" ? "standard input" : path.string();
  state->limits = limits;
  state->stop = stop;

  AVDictionary* options = nullptr;
  av_dict_set(&options, "protocol_whitelist", "file,pipe", 0);
  av_dict_set(&options, "format_whitelist", kContainers, 0);
  AVFormatContext* opened = nullptr;
  if (is_stream(path)) {
    auto descriptor = open_stream(path);
    if (!descriptor) {
      av_dict_free(&options);
      return std::unexpected(descriptor.error());
    }
    state->pipe = PipeInput::open(std::move(*descriptor), std::move(stop));
    opened = state->pipe ? avformat_alloc_context() : nullptr;
    if (opened == nullptr) {
      av_dict_free(&options);
      return base::fail(base::Reason::kOutOfMemory, "{}: no memory to read it", state->name);
    }
    opened->pb = state->pipe->io();
  }
  int status = avformat_open_input(&opened, ("file:" + path.string()).c_str(), nullptr, &options);
  av_dict_free(&options);
  if (status < 0) return std::unexpected(open_error(state->name, status));
  state->input.reset(opened);

  status = avformat_find_stream_info(opened, nullptr);
  if (status < 0) return std::unexpected(open_error(state->name, status));
  const AVCodec* codec = nullptr;
  status = av_find_best_stream(opened, AVMEDIA_TYPE_VIDEO, -1, -1, &codec, 0);
  if (status == AVERROR_DECODER_NOT_FOUND) {
    return base::fail(base::Code::kUnavailable, "{}: this machine's libavcodec has no decoder for its codec",
                      state->name);
  }
  if (status < 0) {
    return base::fail(base::Code::kInvalidArgument, "{}: expected a video, found no picture stream in it", state->name);
  }
  state->stream_index = status;
  const AVStream& stream = *opened->streams[status];
  state->decoder.reset(avcodec_alloc_context3(codec));
  if (!state->decoder || avcodec_parameters_to_context(state->decoder.get(), stream.codecpar) < 0) {
    return base::fail(base::Reason::kOutOfMemory, "{}: no memory for its decoder", state->name);
  }
  state->decoder->thread_count = 0;
  state->decoder->pkt_timebase = stream.time_base;
  state->decoder->max_pixels = 2 * limits.max_pixels + (1 << 16);  // padding counts there; frames are checked again
  status = avcodec_open2(state->decoder.get(), codec, nullptr);
  if (status < 0) return std::unexpected(open_error(state->name, status));

  state->rotation = rotation_of(stream);
  const bool lies = state->rotation == Orientation::kQuarterLeft || state->rotation == Orientation::kQuarterRight;
  const AVRational rate = av_guess_frame_rate(opened, const_cast<AVStream*>(&stream), nullptr);
  VideoInfo& info = state->info;
  info.width = lies ? stream.codecpar->height : stream.codecpar->width;
  info.height = lies ? stream.codecpar->width : stream.codecpar->height;
  if (rate.num > 0 && rate.den > 0) {
    info.rate_numerator = rate.num;
    info.rate_denominator = rate.den;
  }
  if (opened->duration > 0) info.duration_s = static_cast<double>(opened->duration) / AV_TIME_BASE;
  info.codec = codec->name;
  state->stated_end = StatedEnd(*opened, state->stream_index, info.frames_per_second());
  return VideoReader(std::move(state));
}

const VideoInfo& VideoReader::info() const {
  return state_->info;
}

void VideoReader::also_stretch_to(int side) {
  state_->side = side;
}

std::int64_t VideoReader::damaged_packets() const {
  return state_->damaged;
}

bool VideoReader::broke_off() const {
  return state_->broke_off;
}

double VideoReader::missing_s() const {
  return state_->missing_s;
}

base::Result<bool> VideoReader::next(VideoFrame& frame) {
  State& state = *state_;
  if (!state.receive()) return false;
  const bool is_upright = state.rotation == Orientation::kUpright;
  SLIPWAY_TRY(state.convert(is_upright ? frame.image : state.stored));
  if (!is_upright) SLIPWAY_TRY(turn_upright(state.stored.view(), state.rotation, frame.image));
  if (state.side > 0) {
    SLIPWAY_TRY(state.stretch(is_upright ? frame.square : state.stored_square));
    if (!is_upright) SLIPWAY_TRY(turn_upright(state.stored_square.view(), state.rotation, frame.square));
  } else {
    frame.square = {};
  }

  const AVRational base = state.input->streams[state.stream_index]->time_base;
  const double rate = state.info.frames_per_second();
  double time_s = rate > 0 ? static_cast<double>(state.next_index) / rate : 0;
  if (state.frame->best_effort_timestamp != AV_NOPTS_VALUE) {
    time_s = static_cast<double>(state.frame->best_effort_timestamp) * av_q2d(base);
    if (state.next_index == 0) state.first_time_s = time_s;
    time_s -= state.first_time_s;
  }
  frame.time_s = time_s;
  frame.index = state.next_index++;
  av_frame_unref(state.frame.get());
  return true;
}

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
  std::int64_t next_pts = 0;
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

  /// Encodes (nullptr: drains) and writes what comes out.
  base::Result<void> encode(const AVFrame* next) {
    int status = avcodec_send_frame(encoder.get(), next);
    while (status >= 0) {
      status = avcodec_receive_packet(encoder.get(), packet.get());
      if (status == AVERROR(EAGAIN) || status == AVERROR_EOF) return {};
      if (status < 0) break;
      av_packet_rescale_ts(packet.get(), encoder->time_base, stream->time_base);
      packet->stream_index = stream->index;
      status = av_interleaved_write_frame(output, packet.get());
    }
    return failure("a frame cannot be written", status);
  }
};

VideoWriter::VideoWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
VideoWriter::~VideoWriter() = default;
VideoWriter::VideoWriter(VideoWriter&&) noexcept = default;
VideoWriter& VideoWriter::operator=(VideoWriter&&) noexcept = default;

base::Result<VideoWriter> VideoWriter::create(const std::filesystem::path& path, int width, int height,
                                              int rate_numerator, int rate_denominator) {
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
  const AVRational rate =
      rate_numerator > 0 && rate_denominator > 0 ? AVRational{rate_numerator, rate_denominator} : AVRational{25, 1};
  encoder.framerate = rate;
  encoder.time_base = av_inv_q(rate);
  encoder.gop_size = 50;
  encoder.colorspace = height >= 720 ? AVCOL_SPC_BT709 : AVCOL_SPC_SMPTE170M;
  encoder.color_range = AVCOL_RANGE_MPEG;
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
  const int matrix = state.encoder->colorspace == AVCOL_SPC_BT709 ? SWS_CS_ITU709 : SWS_CS_ITU601;
  sws_setColorspaceDetails(state.scaler, sws_getCoefficients(SWS_CS_DEFAULT), 1, sws_getCoefficients(matrix), 0, 0,
                           1 << 16, 1 << 16);
  const std::uint8_t* const from[4] = {image.data, nullptr, nullptr, nullptr};
  const int strides[4] = {static_cast<int>(image.stride_bytes), 0, 0, 0};
  sws_scale(state.scaler, from, strides, 0, from_height, state.frame->data, state.frame->linesize);
  state.frame->pts = state.next_pts++;
  return state.encode(state.frame.get());
}

base::Result<void> VideoWriter::finish() {
  State& state = *state_;
  if (state.is_finished) return {};
  state.is_finished = true;
  SLIPWAY_TRY(state.encode(nullptr));
  const int status = av_write_trailer(state.output);
  avio_flush(state.output->pb);
  if (status < 0 || state.output->pb->error < 0) {
    return state.failure("the index cannot be written", status < 0 ? status : state.output->pb->error);
  }
  return state.file.publish();
}

bool has_video_ending(const std::filesystem::path& path) {
  constexpr std::array<std::string_view, 20> kEndings = {".mp4", ".mkv", ".mov",  ".avi", ".webm",  ".m4v",  ".mpg",
                                                         ".ts",  ".y4m", ".mpeg", ".flv", ".mjpeg", ".m2ts", ".mts",
                                                         ".3gp", ".wmv", ".ogv",  ".ivf", ".h264",  ".hevc"};
  return std::ranges::find(kEndings, base::lowered(path.extension().string())) != kEndings.end();
}

}  // namespace slipway::media
