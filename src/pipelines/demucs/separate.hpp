#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "media/audio_writer.hpp"
#include "pipelines/demucs/network.hpp"

namespace slipway::pipelines::demucs {

enum class Mode {
  kSequential,  ///< one segment a run
  kBatch,       ///< up to SeparationOptions::batch segments a run; needs a model with such a batch
  kSingle,      ///< the first segment of the song only: a quick look
};

struct SeparationOptions {
  double overlap = -1;     ///< in [0, 1); negative: the model's
  int shifts = 0;          ///< passes moved by a random time below half a second, averaged
  std::uint64_t seed = 0;  ///< of the shifts
  std::vector<std::int64_t>
      shift_offsets;  ///< samples of each shift instead of drawn ones (per graph of a bag, in turn)
  Mode mode = Mode::kSequential;
  int batch = 50;
  std::string two_stems;  ///< a stem's name: write it and the sum of all others as no_NAME
  media::AudioEncoding encoding = media::AudioEncoding::kWavFloat;
  std::function<void(std::int64_t done, std::int64_t total)> progress;  ///< segments
  runtime::CancelFlag* cancel = nullptr;
};

struct WrittenStem {
  std::string name;
  std::filesystem::path file;
  std::int64_t samples_over = 0;  ///< beyond full scale; integer encodings clamped them
  std::filesystem::path image;    ///< of plot_stems
};

struct SeparationReport {
  std::int64_t frames = 0;
  int sample_rate = 0;
  std::int64_t segments = 0;
  std::vector<std::int64_t> shift_offsets;
  std::vector<WrittenStem> stems;
  std::vector<std::string> warnings;
  double measure_seconds = 0;  ///< first pass over the song
  double read_seconds = 0;     ///< decoding and normalising again
  double stft_seconds = 0;
  double network_seconds = 0;
  std::vector<double> network_run_seconds;  ///< of each group of segments, in order
  double istft_seconds = 0;
  double overlap_add_seconds = 0;
  double write_seconds = 0;
  double total_seconds = 0;
};

/// Separates a song into one file a stem, `OUTPUT/NAME.wav` (or .flac).
///
/// The song is read twice (its mean and deviation come first) and memory holds a few segments, however long it is. The
/// files appear under their names when all of them are whole. Equal input gives equal bytes.
/// @error as measure_song, Network::run and media::AudioWriter; kInvalidArgument: an option (named with what it may be)
/// @source demucs/api.py Separator.separate_tensor, demucs/apply.py apply_model
[[nodiscard]] base::Result<SeparationReport> separate(Network& network, const std::filesystem::path& song,
                                                      const std::filesystem::path& output,
                                                      const SeparationOptions& options);

/// The stems that are written, in order: the model's, or with two_stems that one and no_NAME.
/// @error kInvalidArgument: the model has no stem of that name
[[nodiscard]] base::Result<std::vector<std::string>> stem_names(const std::vector<std::string>& sources,
                                                                const std::string& two_stems);

/// The files of a separation that is written piece by piece; shared with postprocess.
class StemFiles {
 public:
  [[nodiscard]] static base::Result<StemFiles> create(const std::filesystem::path& output,
                                                      const std::vector<std::string>& sources,
                                                      const std::string& two_stems, int sample_rate,
                                                      media::AudioEncoding encoding, std::int64_t frames);
  /// @param waves  [S][2][count]
  [[nodiscard]] base::Result<void> write(std::span<const float> waves, std::size_t count);
  /// Gives all files their names once every one of them is whole.
  [[nodiscard]] base::Result<std::vector<WrittenStem>> finish();

 private:
  std::size_t source_count_ = 0;
  std::ptrdiff_t alone_ = -1;  // the stem of two_stems
  std::vector<WrittenStem> stems_;
  std::vector<media::AudioWriter> writers_;
};

}  // namespace slipway::pipelines::demucs
