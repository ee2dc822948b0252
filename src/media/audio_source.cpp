#include "media/audio_source.hpp"

#include <algorithm>
#include <utility>

namespace slipway::media {

using base::Result;

namespace {
constexpr std::size_t kPacketFrames = 8192;
}  // namespace

StereoSource::StereoSource(std::unique_ptr<AudioReader> reader, std::optional<Resampler> resampler, int sample_rate)
    : reader_(std::move(reader)), resampler_(std::move(resampler)), sample_rate_(sample_rate) {}

Result<StereoSource> StereoSource::open(const std::filesystem::path& path, int sample_rate) {
  SLIPWAY_ASSIGN(auto reader, AudioReader::open(path, 2));
  std::optional<Resampler> resampler;
  if (reader->format().sample_rate != sample_rate) {
    SLIPWAY_ASSIGN(resampler, Resampler::create(reader->format().sample_rate, sample_rate, 2));
  }
  return StereoSource(std::move(reader), std::move(resampler), sample_rate);
}

Result<std::size_t> StereoSource::read(std::size_t frames, std::vector<float>& left, std::vector<float>& right) {
  std::size_t given = 0;
  while (given < frames) {
    if (taken_ == ready_.size()) {
      ready_.clear();
      taken_ = 0;
      if (ended_) break;
      const auto channels = static_cast<std::size_t>(reader_->format().channels);
      packet_.resize(kPacketFrames * channels);
      SLIPWAY_ASSIGN(const std::size_t read, reader_->read(packet_));
      pairs_.resize(read * 2);
      for (std::size_t i = 0; i < read; ++i) {
        pairs_[2 * i] = packet_[i * channels];
        pairs_[2 * i + 1] = packet_[i * channels + (channels > 1 ? 1 : 0)];
      }
      ended_ = read == 0;
      if (!resampler_) {
        std::swap(ready_, pairs_);
      } else if (ended_) {
        SLIPWAY_TRY(resampler_->finish(ready_));
      } else {
        SLIPWAY_TRY(resampler_->push(pairs_, ready_));
      }
      continue;
    }
    const std::size_t count = std::min(frames - given, (ready_.size() - taken_) / 2);
    for (std::size_t i = 0; i < count; ++i) {
      left.push_back(ready_[taken_ + 2 * i]);
      right.push_back(ready_[taken_ + 2 * i + 1]);
    }
    taken_ += 2 * count;
    given += count;
  }
  return given;
}

std::optional<std::int64_t> StereoSource::frame_estimate() const {
  const AudioFormat& format = reader_->format();
  if (!format.frame_estimate) return std::nullopt;
  return *format.frame_estimate * sample_rate_ / format.sample_rate;
}

std::vector<std::string> StereoSource::warnings() const {
  std::vector<std::string> all = reader_->warnings();
  if (const AudioFormat& format = reader_->format(); format.file_channels > 2) {
    all.push_back(
        fmt::format("{} channels ({}) are mixed down to two, as ffmpeg does", format.file_channels, format.layout));
  }
  return all;
}

}  // namespace slipway::media
