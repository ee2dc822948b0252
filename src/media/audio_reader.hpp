#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"

namespace slipway::media {

/// What an audio file holds, before any conversion.
struct AudioFormat {
  int sample_rate = 0;
  int channels = 0;                            ///< that are given
  int file_channels = 0;                       ///< that the file has
  std::string layout;                          ///< of the file's channels: "stereo", "5.1"
  std::string codec;                           ///< FFmpeg's short name: "mp3", "pcm_s16le", "flac", "aac"
  std::optional<std::int64_t> frame_estimate;  ///< what the header promises; the stream decides
  bool is_estimate_stated = false;             ///< by the file itself, not guessed from its size
};

/// Decodes the first audio stream of a file (MP3, WAV, FLAC, M4A, … whatever FFmpeg opens) as a stream of floats.
///
/// Only the file itself is opened, whatever it refers to (playlists are refused).
///
/// Integer samples are divided by their full scale (16 bits: 32768); float samples pass as they are, NaN included.
/// Damaged packets are left out and counted; a file that ends early ends the stream early, with a warning. Where a
/// stream goes on at another rate or with other channels (two MP3s that were joined), that part is converted to the
/// first part's, as ffmpeg does.
/// @thread one object belongs to one thread
class AudioReader {
 public:
  /// @error kNotFound, kPermissionDenied: the path; kInvalidArgument: not audio (FFmpeg's reason is in the message)
  /// @param most_channels  more are mixed down to so many, as ffmpeg's `-ac` does for floats; 0: the file's are given
  [[nodiscard]] static base::Result<std::unique_ptr<AudioReader>> open(const std::filesystem::path& path,
                                                                       int most_channels = 0);
  ~AudioReader();

  [[nodiscard]] const AudioFormat& format() const { return format_; }

  /// Fills `interleaved` (frames × channels) and returns the number of frames; 0 at the end of the stream.
  /// @error kInternal: read error
  [[nodiscard]] base::Result<std::size_t> read(std::span<float> interleaved);

  /// Sentences for people: damaged packets, an early end.
  [[nodiscard]] const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  struct State;
  AudioReader(std::unique_ptr<State> state, AudioFormat format);
  [[nodiscard]] base::Result<bool> decode_more();
  [[nodiscard]] base::Result<bool> convert_frame();
  [[nodiscard]] base::Result<bool> drain_converter();
  void note_end();

  std::unique_ptr<State> state_;
  AudioFormat format_;
  std::vector<std::string> warnings_;
};

}  // namespace slipway::media
