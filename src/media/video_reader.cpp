#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "base/file_kind.hpp"
#include "base/text.hpp"
#include "media/input_stream.hpp"
#include "media/internal/codecs.hpp"
#include "media/internal/colours.hpp"
#include "media/internal/damage_marks.hpp"
#include "media/internal/descriptor_io.hpp"
#include "media/internal/display_matrix.hpp"
#include "media/internal/libav.hpp"
#include "media/internal/stated_end.hpp"
#include "media/internal/stream_clock.hpp"
#include "media/internal/video_extras.hpp"
#include "media/video_file.hpp"

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

/// Demuxers that cut a stream of whole images into packets of one.
bool gives_images(const AVFormatContext& input) {
  const std::string_view name = input.iformat->name;
  return name.ends_with("_pipe") || name == "image2pipe" || name == "mjpeg" || name == "mpjpeg";
}

/// The display matrix of a frame, or of the stream it is of.
Orientation orientation_of(const AVFrame& frame, const AVStream& stream) {
  const AVFrameSideData* own = av_frame_get_side_data(&frame, AV_FRAME_DATA_DISPLAYMATRIX);
  constexpr std::size_t kMatrixBytes = 9 * sizeof(std::int32_t);
  if (own != nullptr && own->size >= kMatrixBytes) {
    return internal::orientation_of(reinterpret_cast<const std::int32_t*>(own->data));
  }
  return internal::orientation_of(
      reinterpret_cast<const std::int32_t*>(av_stream_get_side_data(&stream, AV_PKT_DATA_DISPLAYMATRIX, nullptr)));
}

double duration_of(const AVFrame& frame, AVRational unit) {
#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(57, 30, 100)
  const std::int64_t duration = frame.duration;
#else
  const std::int64_t duration = frame.pkt_duration;
#endif
  return duration > 0 ? static_cast<double>(duration) * av_q2d(unit) : 0;
}

base::Error open_error(const std::string& name, int status) {
  if (status == AVERROR(ENOENT)) return {base::Code::kNotFound, name + ": no such file"};
  if (status == AVERROR(EACCES)) return {base::Code::kPermissionDenied, name + ": may not be read"};
  // A stream was read already; of what it held nothing more can be said.
  const bool is_file = name != "-" && !is_stream(name);
  const std::string_view kind = is_file ? base::kind_of_file(name) : "a stream in no format known here";
  if (kind.ends_with("video")) {
    return {base::Code::kDataLoss,
            fmt::format("{}: found {} whose index is missing: the recording broke off, or its end was cut away", name,
                        kind)};
  }
  return {base::Code::kInvalidArgument,
          fmt::format("{}: expected a video (MP4, MKV, MOV, AVI …), found {}", name, kind)};
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
  int sound_index = -1;
  std::optional<Image> whole_image;        // all that a stream held
  bool decodes_images = false;             // by decode_image(), each packet
  std::optional<base::Error> image_error;  // of the one that could not be read last
  Image stored, stored_square;             // before they are turned
  VideoInfo info;
  StreamClock clock;
  std::int64_t next_index = 0;
  double next_time_s = 0;  // of a frame that has no time
  StatedEnd stated_end;
  double missing_s = 0;
  DamageMarks marks;
  std::int64_t damaged = 0;  // that did not decode
  bool broke_off = false;
  bool is_draining = false;

  ~State() {
    sws_freeContext(scaler);
    sws_freeContext(stretcher);
  }
  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  [[nodiscard]] const AVStream& stream() const { return *input->streams[stream_index]; }

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
      if (!read_packet()) {
        avcodec_send_packet(decoder.get(), nullptr);
        return;
      }
      const int sent = avcodec_send_packet(decoder.get(), packet.get());
      av_packet_unref(packet.get());
      if (sent >= 0) return;
      ++damaged;
    }
  }

  /// The next packet of ours into `packet`; sound goes to the extras. False at the end.
  bool read_packet() {
    for (;;) {
      const int status = av_read_frame(input.get(), packet.get());
      if (status < 0) {
        broke_off = !stop.stop_requested() && (status != AVERROR_EOF || (input->pb != nullptr && input->pb->error < 0 &&
                                                                         input->pb->error != AVERROR_EOF));
        is_draining = true;
        marks.end();
        missing_s = stop.stop_requested() ? 0 : stated_end.missing_s(*input);
        return false;
      }
      stated_end.saw(*input, *packet);
      const bool is_ours = packet->stream_index == stream_index;
      if ((is_ours || packet->stream_index == sound_index) && clock.place(*input, *packet)) marks.saw_jump();
      if (packet->stream_index == sound_index) info.extras->add(*packet);
      if (is_ours) {
        marks.saw(*packet);
        packet->flags &= ~AV_PKT_FLAG_CORRUPT;  // counted here; the decoder would hand the mark on
        return true;
      }
      av_packet_unref(packet.get());
    }
  }

  /// The next image of a stream of them.
  base::Result<bool> next_image(VideoFrame& given) {
    if (whole_image) {
      given.image = std::move(*whole_image);
      whole_image.reset();
      tell_time(given, AV_NOPTS_VALUE, {1, 1}, 0);
      return true;
    }
    while (input != nullptr && read_packet()) {
      auto image = decode_image(
          {reinterpret_cast<const std::byte*>(packet->data), static_cast<std::size_t>(packet->size)}, name, limits);
      const std::int64_t time = packet->pts;
      av_packet_unref(packet.get());
      if (image) {
        given.image = std::move(*image);
        tell_time(given, time, stream().time_base, 0);
        return true;
      }
      if (image.error().code == base::Code::kResourceExhausted) return std::unexpected(std::move(image).error());
      ++damaged;
      image_error = std::move(image).error();
    }
    if (next_index == 0 && image_error) return std::unexpected(std::move(*image_error));
    return false;
  }

  void tell_time(VideoFrame& given, std::int64_t timestamp, AVRational unit, double duration_s) {
    const double rate = info.frames_per_second();
    given.time_s = timestamp == AV_NOPTS_VALUE ? next_time_s : static_cast<double>(timestamp) * av_q2d(unit);
    given.duration_s = duration_s;
    given.index = next_index++;
    constexpr double kUsualRate = 25;
    next_time_s = given.time_s + (duration_s > 0 ? duration_s : 1 / (rate > 0 ? rate : kUsualRate));
  }

  /// What is known of the last frame's end, once it came out.
  void tell_end() {
    if (info.extras == nullptr || next_index == 0) return;
    double end_s = next_time_s;
    // A Matroska file says how long it is, and often not how long its last frame.
    const bool is_matroska = std::string_view(input->iformat->name).starts_with("matroska,");
    if (is_matroska && input->nb_streams == 1 && missing_s <= 0 && !broke_off && !stop.stop_requested() &&
        input->duration_estimation_method == AVFMT_DURATION_FROM_STREAM) {
      end_s = std::max(end_s, info.duration_s);
    }
    info.extras->set_end_s(end_s);
  }

  base::Result<void> convert(Image& image) {
    SLIPWAY_TRY(check_size(frame->width, frame->height, limits));
    info.colours = colours_of(*frame);
    if (auto done = to_rgb(scaler, *frame, info.colours, image); !done) {
      return std::unexpected(done.error().with(name));
    }
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
    // The filter that this follows takes BT.601 where the stream says nothing, whatever its size.
    VideoColours colours = info.colours;
    if (stated_matrix(*frame) == AVCOL_SPC_UNSPECIFIED) colours.matrix = AVCOL_SPC_SMPTE170M;
    scale_to_rgb(stretcher, *frame, colours, image);
    return {};
  }
};

VideoReader::VideoReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
VideoReader::~VideoReader() = default;
VideoReader::VideoReader(VideoReader&&) noexcept = default;
VideoReader& VideoReader::operator=(VideoReader&&) noexcept = default;

base::Result<VideoReader> VideoReader::open(const std::filesystem::path& path, const ImageLimits& limits,
                                            std::stop_token stop, const VideoOptions& wanted) {
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
    if (needs_whole_file(state->pipe->peek())) {
      av_dict_free(&options);
      avformat_free_context(opened);
      SLIPWAY_ASSIGN(const std::string content, state->pipe->read_all(limits.max_file_bytes, state->name));
      SLIPWAY_ASSIGN(state->whole_image, decode_image(std::as_bytes(std::span(content)), state->name, limits));
      state->decodes_images = state->info.are_images = true;
      state->info.width = state->whole_image->width();
      state->info.height = state->whole_image->height();
      return VideoReader(std::move(state));
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
  if (const AVCodecParameters& stated = *stream.codecpar; stated.width > 0 && stated.height > 0) {
    if (const auto fits = check_size(stated.width, stated.height, limits); !fits) {
      return std::unexpected(fits.error().with(state->name));
    }
  }
  state->decoder.reset(avcodec_alloc_context3(codec));
  if (!state->decoder || avcodec_parameters_to_context(state->decoder.get(), stream.codecpar) < 0) {
    return base::fail(base::Reason::kOutOfMemory, "{}: no memory for its decoder", state->name);
  }
  state->decoder->thread_count = 0;
  state->decoder->pkt_timebase = stream.time_base;
  state->decoder->max_pixels = 2 * limits.max_pixels + (1 << 16);  // padding counts there; frames are checked again
  status = avcodec_open2(state->decoder.get(), codec, nullptr);
  if (status < 0) {
    return base::fail(base::Code::kUnavailable, "{}: its {} stream cannot be decoded on this machine: {}", state->name,
                      codec->name, libav_reason(status));
  }

  state->decodes_images = state->info.are_images = gives_images(*opened);
  const Orientation orientation = orientation_of(*state->frame, stream);
  const bool lies = swaps_sides(orientation);
  const AVRational rate = av_guess_frame_rate(opened, const_cast<AVStream*>(&stream), nullptr);
  VideoInfo& info = state->info;
  info.width = lies ? stream.codecpar->height : stream.codecpar->width;
  info.height = lies ? stream.codecpar->width : stream.codecpar->height;
  if (rate.num > 0 && rate.den > 0) {
    info.rate_numerator = rate.num;
    info.rate_denominator = rate.den;
  }
  info.time_numerator = stream.time_base.num;
  info.time_denominator = stream.time_base.den;
  if (opened->duration > 0) info.duration_s = static_cast<double>(opened->duration) / AV_TIME_BASE;
  info.codec = codec->name;
  if (wanted.wants_sound) {
    const int sound = av_find_best_stream(opened, AVMEDIA_TYPE_AUDIO, -1, state->stream_index, nullptr, 0);
    state->sound_index = sound >= 0 ? sound : -1;
    info.extras = VideoExtras::create(sound >= 0 ? opened->streams[sound] : nullptr);
    if (!info.extras) return base::fail(base::Reason::kOutOfMemory, "{}: no memory for its sound", state->name);
  }
  state->clock = StreamClock(*opened);
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
  return state_->marks.damaged() + state_->damaged;
}

bool VideoReader::broke_off() const {
  return state_->broke_off;
}

double VideoReader::missing_s() const {
  return state_->missing_s;
}

base::Result<bool> VideoReader::next(VideoFrame& frame) {
  State& state = *state_;
  if (state.decodes_images) {
    frame.square = {};  // as of files
    SLIPWAY_ASSIGN(const bool has_image, state.next_image(frame));
    return has_image;
  }
  if (!state.receive()) {
    state.tell_end();
    return false;
  }
  const AVStream& stream = state.stream();
  const Orientation orientation = orientation_of(*state.frame, stream);
  const bool is_upright = orientation == Orientation::kUpright;
  SLIPWAY_TRY(state.convert(is_upright ? frame.image : state.stored));
  if (!is_upright) SLIPWAY_TRY(turn_upright(state.stored.view(), orientation, frame.image));

  if (state.side > 0) {
    SLIPWAY_TRY(state.stretch(is_upright ? frame.square : state.stored_square));
    if (!is_upright) SLIPWAY_TRY(turn_upright(state.stored_square.view(), orientation, frame.square));
  } else {
    frame.square = {};
  }

  const AVRational aspect =
      av_guess_sample_aspect_ratio(state.input.get(), const_cast<AVStream*>(&stream), state.frame.get());
  const bool has_aspect = aspect.num > 0 && aspect.den > 0;
  state.info.pixel_width = has_aspect ? (swaps_sides(orientation) ? aspect.den : aspect.num) : 1;
  state.info.pixel_height = has_aspect ? (swaps_sides(orientation) ? aspect.num : aspect.den) : 1;
  state.tell_time(frame, state.frame->best_effort_timestamp, stream.time_base,
                  duration_of(*state.frame, stream.time_base));
  av_frame_unref(state.frame.get());
  return true;
}

bool has_video_ending(const std::filesystem::path& path) {
  constexpr std::array<std::string_view, 20> kEndings = {".mp4", ".mkv", ".mov",  ".avi", ".webm",  ".m4v",  ".mpg",
                                                         ".ts",  ".y4m", ".mpeg", ".flv", ".mjpeg", ".m2ts", ".mts",
                                                         ".3gp", ".wmv", ".ogv",  ".ivf", ".h264",  ".hevc"};
  return std::ranges::find(kEndings, base::lowered(path.extension().string())) != kEndings.end();
}

}  // namespace slipway::media
