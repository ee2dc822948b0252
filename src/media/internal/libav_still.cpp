#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>
#include <vector>

#include "media/internal/colours.hpp"
#include "media/internal/libav.hpp"
#include "media/internal/orientation.hpp"

namespace slipway::media {
namespace internal {
namespace {

std::uint32_t big_endian(Bytes bytes, std::size_t offset) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = value << 8 | std::to_integer<std::uint32_t>(bytes[offset + i]);
  return value;
}

std::uint32_t little_endian(Bytes bytes, std::size_t offset, std::size_t width) {
  std::uint32_t value = 0;
  for (std::size_t i = width; i-- > 0;) value = value << 8 | std::to_integer<std::uint32_t>(bytes[offset + i]);
  return value;
}

/// Copies palette entries, which FFmpeg keeps as native 0xAARRGGBB.
void rows_of_palette(const AVFrame& frame, Image& image) {
  for (int y = 0; y < image.height(); ++y) {
    const std::uint8_t* from = frame.data[0] + std::ptrdiff_t{y} * frame.linesize[0];
    std::uint8_t* to = image.row(y);
    for (int x = 0; x < image.width(); ++x, to += 3) {
      std::uint32_t entry = 0;
      std::memcpy(&entry, frame.data[1] + std::size_t{4} * from[x], 4);
      to[0] = static_cast<std::uint8_t>(entry >> 16);
      to[1] = static_cast<std::uint8_t>(entry >> 8);
      to[2] = static_cast<std::uint8_t>(entry);
    }
  }
}

/// Any grey or RGB format, component by component, brought to 8 bits: upper bits of more, stretched of fewer.
void rows_of_components(const AVFrame& frame, const AVPixFmtDescriptor& format, Image& image) {
  const auto width = static_cast<std::size_t>(image.width());
  std::vector<std::uint16_t> line(width);
  const bool is_rgb = (format.flags & AV_PIX_FMT_FLAG_RGB) != 0;
  const std::uint8_t* const data[4] = {frame.data[0], frame.data[1], frame.data[2], frame.data[3]};
  for (int y = 0; y < image.height(); ++y) {
    std::uint8_t* to = image.row(y);
    for (int c = 0; c < (is_rgb ? 3 : 1); ++c) {
      av_read_image_line2(line.data(), const_cast<const std::uint8_t**>(data), frame.linesize, &format, 0, y, c,
                          image.width(), 0, 2);
      const int depth = format.comp[c].depth;
      for (std::size_t x = 0; x < width; ++x) {
        const unsigned value = line[x];
        const unsigned byte = depth >= 8 ? value >> (depth - 8) : value * 255U / ((1U << depth) - 1U);
        to[3 * x + static_cast<std::size_t>(c)] = static_cast<std::uint8_t>(byte);
      }
    }
    if (!is_rgb) {
      for (std::size_t x = 0; x < width; ++x) to[3 * x + 1] = to[3 * x + 2] = to[3 * x];
    }
  }
}

base::Result<Image> image_of(const AVFrame& frame, const ImageLimits& limits) {
  SLIPWAY_TRY(check_size(frame.width, frame.height, limits));
  SLIPWAY_ASSIGN(Image image, Image::create(frame.width, frame.height));
  const auto format = static_cast<AVPixelFormat>(frame.format);
  const AVPixFmtDescriptor* description = av_pix_fmt_desc_get(format);
  if (format == AV_PIX_FMT_RGB24) {
    av_image_copy_plane(image.row(0), static_cast<int>(image.stride_bytes()), frame.data[0], frame.linesize[0],
                        static_cast<int>(image.stride_bytes()), image.height());
  } else if (format == AV_PIX_FMT_PAL8) {
    rows_of_palette(frame, image);
  } else if (description != nullptr &&
             ((description->flags & AV_PIX_FMT_FLAG_RGB) != 0 || description->nb_components <= 2)) {
    if ((description->flags & AV_PIX_FMT_FLAG_FLOAT) != 0) {
      return base::fail(base::Code::kUnimplemented, "pixels of the kind {} are not read: save it with 8 or 16 bits",
                        description->name);
    }
    rows_of_components(frame, *description, image);
  } else {
    SwsContext* made = nullptr;
    const auto converted = to_rgb(made, frame, colours_of(frame), image);
    const Scaler scaler(made);
    SLIPWAY_TRY(converted);
  }
  return image;
}

/// Gives the decoder the whole file as one packet and takes the first frame.
base::Result<Frame> decode_frame(AVCodecID id, Bytes bytes, std::string_view kind, const ImageLimits& limits) {
  quiet_libav();
  const AVCodec* codec = avcodec_find_decoder(id);
  const CodecContext context(codec != nullptr ? avcodec_alloc_context3(codec) : nullptr);
  const Packet packet(av_packet_alloc());
  Frame frame(av_frame_alloc());
  if (!context || !packet || !frame) {
    return base::fail(base::Code::kUnavailable, "this machine's libavcodec decodes no {}", kind);
  }
  if (bytes.size() > std::numeric_limits<int>::max() - AV_INPUT_BUFFER_PADDING_SIZE ||
      av_new_packet(packet.get(), static_cast<int>(bytes.size())) < 0) {
    return base::fail(base::Reason::kOutOfMemory, "no memory for {} bytes of {}", bytes.size(), kind);
  }
  std::memcpy(packet->data, bytes.data(), bytes.size());
  context->thread_count = 1;
  context->max_pixels = 2 * limits.max_pixels + (1 << 16);  // the header was checked; libavcodec counts padding too
  context->err_recognition = AV_EF_CRCCHECK | AV_EF_BITSTREAM | AV_EF_BUFFER;
  // To the decoder of TIFF every tag that it does not know would be an error.
  if (id != AV_CODEC_ID_TIFF) context->err_recognition |= AV_EF_EXPLODE;
  int status = avcodec_open2(context.get(), codec, nullptr);
  if (status >= 0) status = avcodec_send_packet(context.get(), packet.get());
  if (status >= 0) {
    avcodec_send_packet(context.get(), nullptr);
    status = avcodec_receive_frame(context.get(), frame.get());
  }
  if (status < 0) {
    return base::fail(base::Code::kDataLoss, "the {} data is damaged or ends early: {}", kind, libav_reason(status));
  }
  return frame;
}

base::Result<Image> decode_with(AVCodecID id, Bytes bytes, std::string_view kind, const ImageLimits& limits) {
  SLIPWAY_ASSIGN(const Frame frame, decode_frame(id, bytes, kind, limits));
  return image_of(*frame, limits);
}

/// One of a PNG's components of a row, at its own depth.
void read_component(const AVFrame& frame, const AVPixFmtDescriptor& format, int component, int y,
                    std::vector<std::uint16_t>& line) {
  const std::uint8_t* const data[4] = {frame.data[0], frame.data[1], frame.data[2], frame.data[3]};
  av_read_image_line2(line.data(), const_cast<const std::uint8_t**>(data), frame.linesize, &format, 0, y, component,
                      frame.width, 0, 2);
}

constexpr std::size_t kPngChunkHead = 8;  // length and name
constexpr std::size_t kPngSignature = 8;

/// The XMP of an iTXt chunk that holds it as it is; empty otherwise.
Bytes xmp_of(Bytes chunk) {
  constexpr std::string_view kHead("XML:com.adobe.xmp\0\0\0", 20);  // keyword, not compressed
  if (chunk.size() < kHead.size() || std::memcmp(chunk.data(), kHead.data(), kHead.size()) != 0) return {};
  return chunk.subspan(kHead.size());  // behind its language, which is no part of it but does no harm
}

/// Walks the chunks once: what the file says of itself, and whether it reaches IEND.
struct PngChunks {
  Notes notes;
  bool is_complete = false;
};

PngChunks png_chunks(Bytes bytes) {
  PngChunks found;
  std::size_t offset = kPngSignature;
  while (bytes.size() - offset >= kPngChunkHead + 4) {
    const std::size_t length = big_endian(bytes, offset);
    if (length > bytes.size() - offset - kPngChunkHead - 4) break;
    const char* name = reinterpret_cast<const char*>(bytes.data()) + offset + 4;
    if (std::memcmp(name, "eXIf", 4) == 0) {
      found.notes.exif = bytes.subspan(offset + kPngChunkHead, length);
    } else if (std::memcmp(name, "iTXt", 4) == 0 && found.notes.xmp.empty()) {
      found.notes.xmp = xmp_of(bytes.subspan(offset + kPngChunkHead, length));
    }
    offset += kPngChunkHead + length + 4;
    if (std::memcmp(name, "IEND", 4) == 0) {
      found.is_complete = true;
      break;
    }
  }
  return found;
}

/// Whether the data of a GIF's first image is all there; libavcodec fills what is missing and says nothing.
bool holds_first_gif_image(Bytes bytes) {
  const auto at = [&](std::size_t i) { return i < bytes.size() ? std::to_integer<unsigned>(bytes[i]) : 0U; };
  const auto palette_bytes = [&](unsigned flags) -> std::size_t { return (flags & 0x80) != 0 ? 6U << (flags & 7) : 0; };
  const auto skip_blocks = [&](std::size_t offset) {  // length-prefixed blocks up to one of length 0
    while (at(offset) != 0) offset += 1 + at(offset);
    return offset + 1;
  };
  std::size_t offset = 13 + palette_bytes(at(10));
  while (at(offset) == 0x21) offset = skip_blocks(offset + 2);  // extensions
  if (at(offset) != 0x2C) return false;
  return skip_blocks(offset + 11 + palette_bytes(at(offset + 9))) <= bytes.size();
}

}  // namespace

base::Result<Stored> decode_png(Bytes bytes, const ImageLimits& limits) {
  if (bytes.size() < 33) return base::fail(base::Code::kDataLoss, "the PNG ends inside its header");
  SLIPWAY_TRY(check_size(big_endian(bytes, 16), big_endian(bytes, 20), limits));
  const PngChunks chunks = png_chunks(bytes);
  if (!chunks.is_complete)
    return base::fail(base::Code::kDataLoss, "the PNG data ends early: its last chunk is missing");
  SLIPWAY_ASSIGN(Image image, decode_with(AV_CODEC_ID_PNG, bytes, "PNG", limits));
  return Stored{std::move(image), orientation_of(chunks.notes)};
}

base::Result<std::optional<Mask>> decode_png_mask(Bytes bytes, const ImageLimits& limits) {
  if (bytes.size() < 33) return base::fail(base::Code::kDataLoss, "the PNG ends inside its header");
  SLIPWAY_TRY(check_size(big_endian(bytes, 16), big_endian(bytes, 20), limits));
  const PngChunks chunks = png_chunks(bytes);
  if (!chunks.is_complete || orientation_of(chunks.notes) != Orientation::kUpright) return std::nullopt;
  SLIPWAY_ASSIGN(const Frame frame, decode_frame(AV_CODEC_ID_PNG, bytes, "PNG", limits));
  const auto format = static_cast<AVPixelFormat>(frame->format);
  const AVPixFmtDescriptor* description = av_pix_fmt_desc_get(format);
  Mask mask{frame->width, frame->height, {}};
  const std::size_t width = static_cast<std::size_t>(mask.width);
  mask.inside.resize(width * static_cast<std::size_t>(mask.height));
  if (format == AV_PIX_FMT_PAL8) {
    for (int y = 0; y < mask.height; ++y) {
      const std::uint8_t* from = frame->data[0] + std::ptrdiff_t{y} * frame->linesize[0];
      for (std::size_t x = 0; x < width; ++x) mask.inside[static_cast<std::size_t>(y) * width + x] = from[x] != 0;
    }
    return mask;
  }
  if (description == nullptr) return std::nullopt;
  const bool has_alpha = (description->flags & AV_PIX_FMT_FLAG_ALPHA) != 0;
  const int colours = description->nb_components - (has_alpha ? 1 : 0);
  std::vector<std::uint16_t> line(width);
  const auto mark = [&](int first, int end, bool& has_zero) {
    std::ranges::fill(mask.inside, std::uint8_t{0});
    for (int y = 0; y < mask.height; ++y) {
      std::uint8_t* to = mask.inside.data() + static_cast<std::size_t>(y) * width;
      for (int c = first; c < end; ++c) {
        read_component(*frame, *description, c, y, line);
        for (std::size_t x = 0; x < width; ++x) {
          if (line[x] != 0) to[x] = 1;
        }
      }
    }
    has_zero = std::ranges::find(mask.inside, std::uint8_t{0}) != mask.inside.end();
  };
  // What is cut out by alpha is the object; alpha that is opaque everywhere says nothing.
  bool says_something = false;
  if (has_alpha) mark(colours, colours + 1, says_something);
  if (!says_something) mark(0, colours, says_something);
  return mask;
}

base::Result<Stored> decode_bmp(Bytes bytes, const ImageLimits& limits) {
  constexpr std::uint32_t kCoreHeader = 12;
  if (bytes.size() < 26) return base::fail(base::Code::kDataLoss, "the BMP ends inside its header");
  std::int64_t width = 0, height = 0;
  if (little_endian(bytes, 14, 4) == kCoreHeader) {
    width = little_endian(bytes, 18, 2);
    height = little_endian(bytes, 20, 2);
  } else {
    width = static_cast<std::int32_t>(little_endian(bytes, 18, 4));
    height = std::abs(std::int64_t{static_cast<std::int32_t>(little_endian(bytes, 22, 4))});  // negative: top row first
  }
  SLIPWAY_TRY(check_size(width, height, limits));
  SLIPWAY_ASSIGN(Image image, decode_with(AV_CODEC_ID_BMP, bytes, "BMP", limits));
  return Stored{std::move(image), Orientation::kUpright};
}

base::Result<Stored> decode_gif(Bytes bytes, const ImageLimits& limits) {
  if (bytes.size() < 13) return base::fail(base::Code::kDataLoss, "the GIF ends inside its header");
  SLIPWAY_TRY(check_size(little_endian(bytes, 6, 2), little_endian(bytes, 8, 2), limits));
  if (!holds_first_gif_image(bytes)) return base::fail(base::Code::kDataLoss, "the GIF ends inside its first picture");
  SLIPWAY_ASSIGN(Image image, decode_with(AV_CODEC_ID_GIF, bytes, "GIF", limits));
  return Stored{std::move(image), Orientation::kUpright};
}

namespace {

/// Whether the pieces that a TIFF says hold its pixels lie inside the file; libavcodec goes on without those that do
/// not.
bool holds_all_pieces(Bytes bytes) {
  constexpr std::uint32_t kStripOffsets = 273, kStripBytes = 279, kTileOffsets = 324, kTileBytes = 325;
  for (const auto& [offset_tag, length_tag] : {std::pair{kStripOffsets, kStripBytes}, {kTileOffsets, kTileBytes}}) {
    const std::vector<std::uint32_t> offsets = tiff_numbers(bytes, offset_tag);
    const std::vector<std::uint32_t> lengths = tiff_numbers(bytes, length_tag);
    for (std::size_t i = 0; i < offsets.size(); ++i) {
      if (offsets[i] > bytes.size() || (i < lengths.size() && lengths[i] > bytes.size() - offsets[i])) return false;
    }
  }
  return true;
}

}  // namespace

base::Result<Stored> decode_tiff(Bytes bytes, const ImageLimits& limits) {
  constexpr std::uint32_t kWidthTag = 256, kHeightTag = 257, kCompressionTag = 259, kXmpTag = 700;
  constexpr std::uint32_t kOldJpeg = 6, kJpeg = 7;
  const auto width = tiff_number(bytes, kWidthTag), height = tiff_number(bytes, kHeightTag);
  if (!width || !height) return base::fail(base::Code::kDataLoss, "the TIFF has no directory that says its size");
  SLIPWAY_TRY(check_size(*width, *height, limits));
  // libavcodec gives black where it does not understand them.
  if (const auto form = tiff_number(bytes, kCompressionTag); form == kOldJpeg || form == kJpeg) {
    return base::fail(
        base::Code::kUnimplemented,
        "a TIFF that holds JPEG is not read: save it without compression, with LZW or Deflate, or as .jpg");
  }
  if (!holds_all_pieces(bytes)) return base::fail(base::Code::kDataLoss, "the TIFF ends before its pixels do");
  SLIPWAY_ASSIGN(Image image, decode_with(AV_CODEC_ID_TIFF, bytes, "TIFF", limits));
  return Stored{std::move(image), orientation_of({.exif = bytes, .xmp = tiff_bytes(bytes, kXmpTag)})};
}

}  // namespace internal

base::Result<std::string> encode_png(ImageView image) {
  using namespace internal;
  quiet_libav();
  const AVCodec* codec = avcodec_find_encoder(AV_CODEC_ID_PNG);
  const CodecContext context(codec != nullptr ? avcodec_alloc_context3(codec) : nullptr);
  const Packet packet(av_packet_alloc());
  const Frame frame(av_frame_alloc());
  if (!context || !packet || !frame)
    return base::fail(base::Code::kUnavailable, "this machine's libavcodec writes no PNG");
  context->width = frame->width = image.width;
  context->height = frame->height = image.height;
  context->pix_fmt = AV_PIX_FMT_RGB24;
  context->time_base = {1, 1};
  context->thread_count = 1;
  frame->format = AV_PIX_FMT_RGB24;
  int status = avcodec_open2(context.get(), codec, nullptr);
  if (status >= 0) status = av_frame_get_buffer(frame.get(), 0);
  if (status >= 0) {
    av_image_copy_plane(frame->data[0], frame->linesize[0], image.data, static_cast<int>(image.stride_bytes),
                        image.width * 3, image.height);
    status = avcodec_send_frame(context.get(), frame.get());
  }
  if (status >= 0) {
    avcodec_send_frame(context.get(), nullptr);
    status = avcodec_receive_packet(context.get(), packet.get());
  }
  if (status < 0) {
    return base::fail(base::Code::kInvalidArgument, "{}x{} pixels as PNG: {}", image.width, image.height,
                      libav_reason(status));
  }
  return std::string(reinterpret_cast<const char*>(packet->data), static_cast<std::size_t>(packet->size));
}

}  // namespace slipway::media
