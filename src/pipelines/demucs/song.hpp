#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "media/audio_source.hpp"

namespace slipway::pipelines::demucs {

/// What one pass over a song tells: how long it is and what it is normalised with.
struct SongFacts {
  std::int64_t frames = 0;
  float mean = 0;       ///< of (left + right) / 2
  float deviation = 0;  ///< its unbiased standard deviation + 1e-8
  std::vector<std::string> warnings;
};

/// Decodes a song once from end to end. Sums are in double precision.
/// @error as media::StereoSource; kInvalidArgument: no samples, or one that is not a finite number (its place is named)
/// @source demucs/api.py Separator.separate_tensor
[[nodiscard]] base::Result<SongFacts> measure_song(const std::filesystem::path& path, int sample_rate);

/// The normalised song, (x - mean) / deviation, as windows that move forward; silence outside of it.
/// Holds only what lies between forget_before() and the furthest sample asked for.
/// @thread one object belongs to one thread
class SongWindows {
 public:
  [[nodiscard]] static base::Result<SongWindows> open(const std::filesystem::path& path, int sample_rate,
                                                      const SongFacts& facts);

  /// Samples [start, start + out.size() / 2) of the song into `out`: left, then right.
  /// @error kDataLoss: the file is now shorter than when it was measured
  [[nodiscard]] base::Result<void> read(std::int64_t start, std::span<float> out);
  void forget_before(std::int64_t sample);

 private:
  SongWindows(media::StereoSource source, SongFacts facts) : source_(std::move(source)), facts_(std::move(facts)) {}

  media::StereoSource source_;
  SongFacts facts_;
  std::vector<float> left_, right_;  // from `first_` on
  std::int64_t first_ = 0;
};

}  // namespace slipway::pipelines::demucs
