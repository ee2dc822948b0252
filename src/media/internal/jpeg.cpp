#include <cstring>
#include <memory>

#include <turbojpeg.h>

#include "media/internal/orientation.hpp"

namespace slipway::media {
namespace {

struct DestroyHandle {
  void operator()(void* handle) const { tjDestroy(handle); }
};
using Handle = std::unique_ptr<void, DestroyHandle>;

const unsigned char* data_of(internal::Bytes bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

/// The first EXIF and the first XMP segment before the pixels.
internal::Notes notes_of(internal::Bytes bytes) {
  using namespace std::string_view_literals;
  constexpr unsigned kStartOfScan = 0xDA;
  constexpr unsigned kApp1 = 0xE1;
  constexpr std::string_view kExif = "Exif\0"sv, kXmp = "http://ns.adobe.com/xap/1.0/\0"sv;
  const auto at = [&](std::size_t i) { return std::to_integer<unsigned>(bytes[i]); };
  internal::Notes notes;
  std::size_t offset = 2;
  while (offset + 4 <= bytes.size() && at(offset) == 0xFF) {
    const unsigned marker = at(offset + 1);
    if (marker == 0xFF) {  // fill byte
      ++offset;
      continue;
    }
    const std::size_t length = at(offset + 2) << 8 | at(offset + 3);
    if (marker == kStartOfScan || length < 2 || length > bytes.size() - offset - 2) break;
    const auto segment = bytes.subspan(offset + 4, length - 2);
    const auto is = [&](std::string_view mark) {
      return marker == kApp1 && segment.size() > mark.size() &&
             std::memcmp(segment.data(), mark.data(), mark.size()) == 0;
    };
    if (notes.exif.empty() && is(kExif)) notes.exif = segment;
    if (notes.xmp.empty() && is(kXmp)) notes.xmp = segment.subspan(kXmp.size());
    offset += 2 + length;
  }
  return notes;
}

/// Warnings that cost no pixel: stray bytes between segments, unknown notes of Adobe's.
bool is_harmless(std::string_view warning) {
  return warning.find("extraneous bytes") != std::string_view::npos || warning.find("Adobe") != std::string_view::npos;
}

/// Adobe writes CMYK inverted, so each stored sample already says how much light is left: R = C · K / 255.
void cmyk_to_rgb(const std::uint8_t* cmyk, std::uint8_t* rgb, std::size_t pixels) {
  for (std::size_t i = 0; i < pixels; ++i, cmyk += 4, rgb += 3) {
    for (int c = 0; c < 3; ++c) {
      rgb[c] = static_cast<std::uint8_t>((cmyk[c] * cmyk[3] + 127) / 255);
    }
  }
}

}  // namespace

base::Result<internal::Stored> internal::decode_jpeg(Bytes bytes, const ImageLimits& limits) {
  const Handle handle(tjInitDecompress());
  if (!handle) return base::fail(base::Reason::kOutOfMemory, "no memory for a JPEG decoder");
  int width = 0, height = 0, subsampling = 0, colour = 0;
  const auto size = static_cast<unsigned long>(bytes.size());
  if (tjDecompressHeader3(handle.get(), data_of(bytes), size, &width, &height, &subsampling, &colour) != 0) {
    return base::fail(base::Code::kDataLoss, "the JPEG header cannot be read: {}", tjGetErrorStr2(handle.get()));
  }
  if (width < 1 || height < 1) return base::fail(base::Code::kDataLoss, "the JPEG ends inside its header");
  SLIPWAY_TRY(check_size(width, height, limits));
  SLIPWAY_ASSIGN(Image image, Image::create(width, height));

  const bool is_cmyk = colour == TJCS_CMYK || colour == TJCS_YCCK;
  std::vector<std::uint8_t> inks;
  if (is_cmyk) inks.resize(std::size_t{4} * static_cast<std::size_t>(width) * static_cast<std::size_t>(height));
  const int status = tjDecompress2(handle.get(), data_of(bytes), size, is_cmyk ? inks.data() : image.row(0), width, 0,
                                   height, is_cmyk ? TJPF_CMYK : TJPF_RGB, TJFLAG_LIMITSCANS);
  if (status != 0) {
    const std::string_view reason = tjGetErrorStr2(handle.get());
    if (tjGetErrorCode(handle.get()) == TJERR_FATAL || !is_harmless(reason)) {
      return base::fail(base::Code::kDataLoss, "the JPEG data is damaged or ends early: {}", reason);
    }
  }
  if (is_cmyk) cmyk_to_rgb(inks.data(), image.row(0), inks.size() / 4);
  return Stored{std::move(image), orientation_of(notes_of(bytes))};
}

base::Result<std::string> encode_jpeg(ImageView image, int quality) {
  const Handle handle(tjInitCompress());
  if (!handle) return base::fail(base::Reason::kOutOfMemory, "no memory for a JPEG encoder");
  unsigned char* buffer = nullptr;
  unsigned long size = 0;
  const int status = tjCompress2(handle.get(), image.data, image.width, static_cast<int>(image.stride_bytes),
                                 image.height, TJPF_RGB, &buffer, &size, TJSAMP_420, quality, TJFLAG_ACCURATEDCT);
  const std::unique_ptr<unsigned char, void (*)(unsigned char*)> owned(buffer, tjFree);
  if (status != 0) {
    return base::fail(base::Code::kInvalidArgument, "{}x{} pixels as JPEG: {}", image.width, image.height,
                      tjGetErrorStr2(handle.get()));
  }
  return std::string(reinterpret_cast<const char*>(buffer), size);
}

}  // namespace slipway::media
