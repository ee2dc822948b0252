// Songs and videos come from strangers: any bytes are read to an end, give samples or frames within the limit of
// pixels, or an error. FFmpeg parses them; its headers, times, sizes and layouts reach our code as they are.

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include <unistd.h>

#include <fmt/format.h>
#include <sys/mman.h>

#include "base/descriptor.hpp"
#include "media/audio_source.hpp"
#include "media/video_file.hpp"

namespace {

namespace media = slipway::media;

void expect(bool holds) {
  if (!holds) std::abort();
}

void listen(const std::string& path) {
  auto source = media::StereoSource::open(path, 44100);
  if (!source) return expect(!source.error().message.empty());
  constexpr std::size_t kPiece = 1 << 14;
  constexpr int kMostPieces = 16;  // a header may promise days of silence
  std::vector<float> left, right;
  for (int i = 0; i < kMostPieces; ++i) {
    left.clear();
    right.clear();
    const auto count = source->read(kPiece, left, right);
    if (!count || *count == 0) break;
    expect(left.size() == *count && right.size() == *count);
  }
  static_cast<void>(source->frame_estimate());
  static_cast<void>(source->warnings());
}

void watch(const std::string& path) {
  constexpr std::int64_t kMostPixels = 1 << 18;
  constexpr int kMostFrames = 32;
  auto reader = media::VideoReader::open(path, {.max_pixels = kMostPixels}, {}, {.wants_sound = true});
  if (!reader) return expect(!reader.error().message.empty());
  media::VideoFrame frame;
  for (int i = 0; i < kMostFrames; ++i) {
    if (i == 2) reader->also_stretch_to(32);
    const auto has_frame = reader->next(frame);
    if (!has_frame || !*has_frame) break;
    expect(frame.index == i && std::isfinite(frame.time_s) && std::isfinite(frame.duration_s));
    expect(std::int64_t{frame.image.width()} * frame.image.height() <= kMostPixels);
    expect(reader->info().pixel_width > 0 && reader->info().pixel_height > 0);
  }
  expect(reader->damaged_packets() >= 0 && std::isfinite(reader->missing_s()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const slipway::base::Descriptor file(::memfd_create("input", MFD_CLOEXEC));
  if (!file.is_open() || ::write(file.get(), data, size) != static_cast<ssize_t>(size)) std::abort();
  const std::string path = fmt::format("/proc/self/fd/{}", file.get());
  listen(path);
  watch(path);
  return 0;
}
