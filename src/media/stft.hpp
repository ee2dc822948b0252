#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "base/error.hpp"

namespace slipway::media {

/// The spectrogram of htdemucs and its inverse, for segments of one length.
///
/// 4096 points, hop 1024, periodic Hann window, scaled by 1/64 (torch's normalized=True); bins 0 … 2047; frame t covers
/// samples 1024 t - 1536 … 1024 t + 2559 of the segment, which is continued by reflection.
/// Spectrogram layout: [channel][re | im][2048][frames()], float32, so that two channels give (4, 2048, frames): left
/// real, left imaginary, right real, right imaginary.
/// @thread one object belongs to one thread; it uses as many of its own as it was made with. Results do not depend on
///         their number
/// @source demucs/htdemucs.py HTDemucs._spec, HTDemucs._ispec
class Stft {
 public:
  static constexpr std::size_t kPoints = 4096;
  static constexpr std::size_t kHop = 1024;
  static constexpr std::size_t kBins = kPoints / 2;
  static constexpr std::size_t kPad = kHop / 2 * 3;

  /// @error kInvalidArgument: fewer than 4096 samples, or more than an hour
  [[nodiscard]] static base::Result<Stft> create(std::size_t segment_samples, int threads = 1);
  Stft(Stft&&) noexcept;
  Stft& operator=(Stft&&) noexcept;
  ~Stft();

  [[nodiscard]] std::size_t segment_samples() const;
  [[nodiscard]] std::size_t frames() const;
  [[nodiscard]] std::size_t floats_per_channel() const { return 2 * kBins * frames(); }

  /// Spectrograms of `wave` ([channels][segment]) into `spectrogram` ([channels][re | im][2048][frames]).
  /// @pre sizes fit the number of channels
  void forward(std::span<const float> wave, std::span<float> spectrogram);

  /// Adds the waves of `spectrogram` to `wave`; layouts as in forward(). The highest bin is taken as zero, and so is
  /// the imaginary part of the lowest.
  void add_inverse(std::span<const float> spectrogram, std::span<float> wave);

 private:
  struct State;
  explicit Stft(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace slipway::media
