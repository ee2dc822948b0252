#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "media/audio_reader.hpp"
#include "media/resample.hpp"

namespace slipway::media {

/// A file as stereo at a wanted rate: decoded, channels converted, resampled, all as a stream.
///
/// Channels as demucs has them: mono is copied to both sides; more than two are mixed down as ffmpeg does for floats
/// (`-ac 2 -f f32le`, by which demucs reads files), and a warning says so.
/// @source demucs/audio.py AudioFile.read, convert_audio_channels
/// @thread one object belongs to one thread
class StereoSource {
 public:
  /// @error as AudioReader::open
  [[nodiscard]] static base::Result<StereoSource> open(const std::filesystem::path& path, int sample_rate);

  /// Appends up to `frames` frames to both sides and returns how many; 0 at the end.
  /// @error as AudioReader::read
  [[nodiscard]] base::Result<std::size_t> read(std::size_t frames, std::vector<float>& left, std::vector<float>& right);

  [[nodiscard]] const AudioFormat& format() const { return reader_->format(); }
  /// Frames at the wanted rate, from what the header promises.
  [[nodiscard]] std::optional<std::int64_t> frame_estimate() const;
  [[nodiscard]] std::vector<std::string> warnings() const;

 private:
  StereoSource(std::unique_ptr<AudioReader> reader, std::optional<Resampler> resampler, int sample_rate);

  std::unique_ptr<AudioReader> reader_;
  std::optional<Resampler> resampler_;
  int sample_rate_;
  std::vector<float> packet_;  // interleaved as in the file
  std::vector<float> pairs_;   // two channels, file's rate
  std::vector<float> ready_;   // two channels, wanted rate
  std::size_t taken_ = 0;
  bool ended_ = false;
};

}  // namespace slipway::media
