#include <algorithm>
#include <cstring>
#include <optional>
#include <vector>

#include "media/internal/codecs.hpp"
#include "media/internal/colours.hpp"
#include "media/internal/libav.hpp"

namespace slipway::media::internal {
namespace {

std::uint64_t number(Bytes bytes, std::size_t offset, std::size_t width) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < width; ++i) value = value << 8 | std::to_integer<std::uint64_t>(bytes[offset + i]);
  return value;
}

/// A box of the ISO base media format.
struct Box {
  std::uint32_t name = 0;
  Bytes content;
};

constexpr std::uint32_t name_of(const char (&text)[5]) {
  std::uint32_t name = 0;
  for (int i = 0; i < 4; ++i) name = name << 8 | static_cast<unsigned char>(text[i]);
  return name;
}

/// The boxes that stand behind each other; up to the first that is damaged.
std::vector<Box> boxes_in(Bytes bytes) {
  std::vector<Box> boxes;
  while (bytes.size() >= 8) {
    std::uint64_t size = number(bytes, 0, 4);
    std::size_t head = 8;
    if (size == 1 && bytes.size() >= 16) {
      size = number(bytes, 8, 8);
      head = 16;
    } else if (size == 0) {
      size = bytes.size();
    }
    if (size < head || size > bytes.size()) break;
    boxes.push_back(
        {static_cast<std::uint32_t>(number(bytes, 4, 4)), bytes.subspan(head, static_cast<std::size_t>(size) - head)});
    bytes = bytes.subspan(static_cast<std::size_t>(size));
  }
  return boxes;
}

Bytes content_of(Bytes parent, std::uint32_t name, std::size_t skipped = 0) {
  if (parent.size() < skipped) return {};
  for (const Box& box : boxes_in(parent.subspan(skipped))) {
    if (box.name == name) return box.content;
  }
  return {};
}

/// Places (from 1 on) in the list of properties of those that belong to the primary image, in order.
std::vector<std::size_t> properties_of(Bytes associations, std::uint64_t item) {
  std::vector<std::size_t> places;
  if (associations.size() < 8) return places;
  const std::size_t id_bytes = std::to_integer<unsigned>(associations[0]) < 1 ? 2 : 4;
  const std::size_t place_bytes = (std::to_integer<unsigned>(associations[3]) & 1) != 0 ? 2 : 1;
  const std::uint64_t entries = number(associations, 4, 4);
  std::size_t at = 8;
  for (std::uint64_t entry = 0; entry < entries && associations.size() - at > id_bytes; ++entry) {
    const std::uint64_t id = number(associations, at, id_bytes);
    const auto count = std::to_integer<std::size_t>(associations[at + id_bytes]);
    at += id_bytes + 1;
    if (associations.size() - at < count * place_bytes) break;
    for (std::size_t i = 0; i < count && id == item; ++i) {
      const std::uint64_t value = number(associations, at + i * place_bytes, place_bytes);
      places.push_back(static_cast<std::size_t>(value & (place_bytes == 2 ? 0x7FFF : 0x7F)));
    }
    at += count * place_bytes;
  }
  return places;
}

/// Turns (irot) and mirrors (imir) of the primary image, which AVIF has in place of EXIF's tag.
Orientation orientation_in(Bytes file) {
  const Bytes meta = content_of(file, name_of("meta"));
  const Bytes primary = content_of(meta, name_of("pitm"), 4);
  const Bytes properties = content_of(meta, name_of("iprp"), 4);
  if (primary.size() < 6) return Orientation::kUpright;
  const bool is_short = std::to_integer<unsigned>(primary[0]) == 0;
  if (!is_short && primary.size() < 8) return Orientation::kUpright;
  const std::uint64_t item = number(primary, 4, is_short ? 2 : 4);
  const std::vector<Box> list = boxes_in(content_of(properties, name_of("ipco")));
  unsigned turns = 0;              // to the left, by 90°
  std::optional<unsigned> mirror;  // 0: top and bottom change places, 1: left and right
  for (const std::size_t place : properties_of(content_of(properties, name_of("ipma")), item)) {
    if (place < 1 || place > list.size() || list[place - 1].content.empty()) continue;
    const auto value = std::to_integer<unsigned>(list[place - 1].content[0]);
    if (list[place - 1].name == name_of("irot")) turns = value & 3;
    if (list[place - 1].name == name_of("imir")) mirror = value & 1;
  }
  // Turned first, then mirrored.
  constexpr Orientation kTurned[4] = {Orientation::kUpright, Orientation::kQuarterLeft, Orientation::kUpsideDown,
                                      Orientation::kQuarterRight};
  constexpr Orientation kAndMirrored[4][2] = {{Orientation::kFlipped, Orientation::kMirrored},
                                              {Orientation::kTransposed, Orientation::kTransversed},
                                              {Orientation::kMirrored, Orientation::kFlipped},
                                              {Orientation::kTransversed, Orientation::kTransposed}};
  return mirror ? kAndMirrored[turns][*mirror] : kTurned[turns];
}

/// Bytes in memory as libav reads a file.
class MemoryInput {
 public:
  explicit MemoryInput(Bytes bytes) : bytes_(bytes) {
    constexpr int kBufferBytes = 4096;
    auto* const buffer = static_cast<unsigned char*>(av_malloc(kBufferBytes));
    if (buffer == nullptr) return;
    io_ = avio_alloc_context(buffer, kBufferBytes, 0, this, read, nullptr, seek);
    if (io_ == nullptr) av_free(buffer);
  }
  MemoryInput(const MemoryInput&) = delete;
  MemoryInput& operator=(const MemoryInput&) = delete;
  ~MemoryInput() {
    if (io_ == nullptr) return;
    av_freep(&io_->buffer);
    avio_context_free(&io_);
  }
  [[nodiscard]] AVIOContext* io() const { return io_; }

 private:
  static int read(void* self, std::uint8_t* to, int size) {
    auto& input = *static_cast<MemoryInput*>(self);
    const std::size_t count = std::min(input.bytes_.size() - input.at_, static_cast<std::size_t>(size));
    if (count == 0) return AVERROR_EOF;
    std::memcpy(to, input.bytes_.data() + input.at_, count);
    input.at_ += count;
    return static_cast<int>(count);
  }
  static std::int64_t seek(void* self, std::int64_t offset, int whence) {
    auto& input = *static_cast<MemoryInput*>(self);
    const auto size = static_cast<std::int64_t>(input.bytes_.size());
    if ((whence & AVSEEK_SIZE) != 0) return size;
    const std::int64_t from = whence == SEEK_CUR ? static_cast<std::int64_t>(input.at_) : whence == SEEK_END ? size : 0;
    if (offset < -from || offset > size - from) return AVERROR(EINVAL);
    input.at_ = static_cast<std::size_t>(from + offset);
    return from + offset;
  }

  Bytes bytes_;
  std::size_t at_ = 0;
  AVIOContext* io_ = nullptr;
};

struct CloseInput {
  void operator()(AVFormatContext* object) const { avformat_close_input(&object); }
};

base::Error damaged(int status) {
  return {base::Code::kDataLoss,
          "the AVIF data is damaged, ends early, or is a grid of pictures, which is not read: " + libav_reason(status)};
}

}  // namespace

base::Result<Stored> decode_avif(Bytes bytes, const ImageLimits& limits) {
  quiet_libav();
  const MemoryInput memory(bytes);
  AVFormatContext* opened = avformat_alloc_context();
  if (memory.io() == nullptr || opened == nullptr) {
    avformat_free_context(opened);
    return base::fail(base::Reason::kOutOfMemory, "no memory to read an AVIF picture");
  }
  opened->pb = memory.io();
  int status = avformat_open_input(&opened, nullptr, av_find_input_format("mov"), nullptr);
  if (status < 0) return std::unexpected(damaged(status));
  const std::unique_ptr<AVFormatContext, CloseInput> input(opened);
  const int index = av_find_best_stream(opened, AVMEDIA_TYPE_VIDEO, -1, -1, nullptr, 0);
  if (index < 0) return std::unexpected(damaged(index));
  const AVCodecParameters& parameters = *opened->streams[index]->codecpar;
  if (parameters.width > 0 && parameters.height > 0) {
    SLIPWAY_TRY(check_size(parameters.width, parameters.height, limits));
  }
  const AVCodec* codec = avcodec_find_decoder(AV_CODEC_ID_AV1);
  const CodecContext decoder(codec != nullptr ? avcodec_alloc_context3(codec) : nullptr);
  const Packet packet(av_packet_alloc());
  const Frame frame(av_frame_alloc());
  if (!decoder || !packet || !frame) {
    return base::fail(base::Code::kUnavailable, "this machine's libavcodec decodes no AV1, which AVIF holds");
  }
  decoder->thread_count = 1;
  decoder->max_pixels = 2 * limits.max_pixels + (1 << 16);
  decoder->err_recognition = AV_EF_EXPLODE;
  status = avcodec_parameters_to_context(decoder.get(), &parameters);
  if (status >= 0) status = avcodec_open2(decoder.get(), codec, nullptr);
  while (status >= 0) {
    status = av_read_frame(opened, packet.get());
    if (status < 0 || packet->stream_index == index) break;
    av_packet_unref(packet.get());
  }
  if (status >= 0) status = avcodec_send_packet(decoder.get(), packet.get());
  if (status >= 0) {
    avcodec_send_packet(decoder.get(), nullptr);
    status = avcodec_receive_frame(decoder.get(), frame.get());
  }
  if (status < 0) return std::unexpected(damaged(status));
  SLIPWAY_TRY(check_size(frame->width, frame->height, limits));
  VideoColours colours = colours_of(*frame);
  // A still image that does not say its matrix has BT.601's, whatever its size.
  if (stated_matrix(*frame) == AVCOL_SPC_UNSPECIFIED) colours.matrix = AVCOL_SPC_SMPTE170M;
  Image image;
  SwsContext* made = nullptr;
  const auto converted = to_rgb(made, *frame, colours, image);
  const Scaler scaler(made);
  SLIPWAY_TRY(converted);
  return Stored{std::move(image), orientation_in(bytes)};
}

}  // namespace slipway::media::internal
