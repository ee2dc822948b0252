#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "media/image.hpp"
#include "pipelines/demucs/separate.hpp"

namespace slipway::pipelines::demucs {

/// What a plot shows, the same for all that are to be compared.
struct PlotOptions {
  int sample_rate = 44100;
  std::int64_t frames = 0;  ///< length of the time axis, in samples at `sample_rate`; positive
  double full_scale = 1;    ///< what the edges of the waveform's panel stand for
};

/// Largest magnitude of a sound file's samples.
/// @error as media::StereoSource
[[nodiscard]] base::Result<float> peak_of(const std::filesystem::path& sound, int sample_rate);

/// Draws a sound file: its waveform (extremes and root mean square of both sides) above its spectrogram (mean power of
/// both sides, logarithmic frequency, decibels below a full-scale sine), over one axis of time.
///
/// The file is read as a stream; memory holds the image and a second of sound, however long it is.
/// @error as media::StereoSource; kResourceExhausted: no memory for the image
[[nodiscard]] base::Result<media::Image> plot_sound(const std::filesystem::path& sound, std::string_view title,
                                                    const PlotOptions& options);

/// Draws every stem into `NAME.png` beside its file, all to the scale of the loudest, and notes where.
/// @error as plot_sound and media::write_image
[[nodiscard]] base::Result<void> plot_stems(std::vector<WrittenStem>& stems, int sample_rate, std::int64_t frames);

}  // namespace slipway::pipelines::demucs
