#include <cstring>
#include <memory>

#include <webp/decode.h>
#include <webp/demux.h>

#include "media/internal/orientation.hpp"

namespace slipway::media::internal {
namespace {

Orientation orientation_in(const WebPData& data) {
  const std::unique_ptr<WebPDemuxer, void (*)(WebPDemuxer*)> demuxer(WebPDemux(&data), WebPDemuxDelete);
  if (!demuxer) return Orientation::kUpright;
  const auto chunk_of = [&](const char* name) {
    WebPChunkIterator chunk;
    if (WebPDemuxGetChunk(demuxer.get(), name, 1, &chunk) == 0) return Bytes();
    const Bytes bytes(reinterpret_cast<const std::byte*>(chunk.chunk.bytes), chunk.chunk.size);  // lies in `data`
    WebPDemuxReleaseChunkIterator(&chunk);
    return bytes;
  };
  return orientation_of({.exif = chunk_of("EXIF"), .xmp = chunk_of("XMP ")});
}

base::Result<void> decode_first_frame(const WebPData& data, Image& image) {
  WebPAnimDecoderOptions options;
  if (WebPAnimDecoderOptionsInit(&options) == 0)
    return base::fail(base::Code::kInternal, "another libwebp at run time");
  options.color_mode = MODE_RGBA;
  const std::unique_ptr<WebPAnimDecoder, void (*)(WebPAnimDecoder*)> decoder(WebPAnimDecoderNew(&data, &options),
                                                                             WebPAnimDecoderDelete);
  std::uint8_t* canvas = nullptr;
  int timestamp_ms = 0;
  if (!decoder || WebPAnimDecoderGetNext(decoder.get(), &canvas, &timestamp_ms) == 0) {
    return base::fail(base::Code::kDataLoss, "the first frame of the animated WebP cannot be decoded");
  }
  const std::size_t pixels = static_cast<std::size_t>(image.width()) * static_cast<std::size_t>(image.height());
  std::uint8_t* to = image.row(0);
  for (std::size_t i = 0; i < pixels; ++i) std::memcpy(to + 3 * i, canvas + 4 * i, 3);
  return {};
}

}  // namespace

base::Result<Stored> decode_webp(Bytes bytes, const ImageLimits& limits) {
  const auto* raw = reinterpret_cast<const std::uint8_t*>(bytes.data());
  WebPBitstreamFeatures features;
  if (WebPGetFeatures(raw, bytes.size(), &features) != VP8_STATUS_OK) {
    return base::fail(base::Code::kDataLoss, "the WebP header cannot be read");
  }
  SLIPWAY_TRY(check_size(features.width, features.height, limits));
  SLIPWAY_ASSIGN(Image image, Image::create(features.width, features.height));
  const WebPData data{raw, bytes.size()};
  if (features.has_animation != 0) {
    SLIPWAY_TRY(decode_first_frame(data, image));
  } else if (WebPDecodeRGBInto(
                 raw, bytes.size(), image.row(0),
                 static_cast<std::size_t>(image.stride_bytes()) * static_cast<std::size_t>(image.height()),
                 static_cast<int>(image.stride_bytes())) == nullptr) {
    return base::fail(base::Code::kDataLoss, "the WebP data is damaged or ends early");
  }
  return Stored{std::move(image), orientation_in(data)};
}

}  // namespace slipway::media::internal
