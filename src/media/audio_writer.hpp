#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string_view>

#include "base/error.hpp"

namespace slipway::media {

enum class AudioEncoding { kWav16, kWav24, kWavFloat, kFlac16, kFlac24 };

/// ".wav" or ".flac".
[[nodiscard]] std::string_view audio_extension(AudioEncoding encoding);

/// Writes a stereo file that appears under its name only when it is whole.
///
/// Samples go to a hidden file beside the target (base::OutputFile), whose place it takes at finish(): a full disk or a
/// crash never leaves a part that looks like a stem. Equal samples give equal bytes, but for RF64, whose header
/// libsndfile dates.
/// @thread one object belongs to one thread
class AudioWriter {
 public:
  /// @param frames  how many will be written, at most: a WAV file that may pass 4 GiB becomes RF64
  /// @error kNotFound: the folder; kPermissionDenied; kResourceExhausted: no space; kInvalidArgument: no plain file
  [[nodiscard]] static base::Result<AudioWriter> create(const std::filesystem::path& path, int sample_rate,
                                                        AudioEncoding encoding, std::int64_t frames);
  AudioWriter(AudioWriter&&) noexcept;
  AudioWriter& operator=(AudioWriter&&) noexcept;
  ~AudioWriter();

  /// Writes frames of both sides (equal lengths). Integer encodings scale by their full scale less one, as demucs does,
  /// and clamp at ±1.
  /// @error kResourceExhausted: disk full or file size limit
  [[nodiscard]] base::Result<void> write(std::span<const float> left, std::span<const float> right);

  /// close() and publish().
  [[nodiscard]] base::Result<void> finish();

  /// Makes the file whole under its hidden name. Nothing may be written afterwards.
  /// @error kResourceExhausted: disk full or file size limit
  [[nodiscard]] base::Result<void> close();

  /// Gives the closed file its name, durably: for files that shall appear together, after all are closed.
  /// @error as base::OutputFile::publish
  [[nodiscard]] base::Result<void> publish();

  /// Samples beyond ±1 so far; integer encodings clamped them.
  [[nodiscard]] std::int64_t samples_over() const;

 private:
  struct State;
  explicit AudioWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace slipway::media
