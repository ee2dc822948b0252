#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "pipelines/demucs/separate.hpp"

namespace slipway::pipelines::demucs {

/// How chunk files were cut; kept beside them as chunks.json (schema slipway-demucs-chunks/1).
///
/// All files are float32, little endian, without a header, chunk after chunk:
///   input.raw   [K][2][T]                          the normalised windows
///   x.raw       [K][4][2048][ceil(T / 1024)]       their spectrograms
///   add_67.raw  [K][S][2][T]                       what the network gave (from the device)
///   output.raw  [K][S][4][2048][ceil(T / 1024)]    its spectrogram branch, when the model gives one
struct ChunkManifest {
  std::string song;         ///< file name, for people
  std::int64_t frames = 0;  ///< of the song
  int sample_rate = 44100;
  float mean = 0, deviation = 1;
  std::int64_t segment_samples = 0;
  double overlap = 0.25;
  std::int64_t count = 0;             ///< K
  std::vector<std::string> sources;   ///< empty: told by the size of add_67.raw
  bool gives_spectrogram = false;     ///< the model has an `output`; only known when it was named
  std::vector<std::string> warnings;  ///< of reading the song; not kept in the file
};

/// Reads DIR/chunks.json.
/// @error kNotFound; kInvalidArgument: what it lacks, or says wrongly
[[nodiscard]] base::Result<ChunkManifest> read_manifest(const std::filesystem::path& folder);

using ChunkProgress = std::function<void(std::int64_t done, std::int64_t total)>;

/// Writes DIR/input.raw, x.raw and chunks.json (last, so that it stands for whole files).
/// @param form  segment length, overlap and what else of the model is known
/// @error as measure_song; kResourceExhausted: disk full
[[nodiscard]] base::Result<ChunkManifest> preprocess(const std::filesystem::path& song, const Form& form,
                                                     const std::filesystem::path& folder,
                                                     const ChunkProgress& progress = {});

struct PostprocessOptions {
  std::filesystem::path raw_file;          ///< add_67.raw
  std::filesystem::path spectrogram_file;  ///< output.raw; empty: taken from beside raw_file when it is there
  std::string two_stems;
  media::AudioEncoding encoding = media::AudioEncoding::kWavFloat;
  ChunkProgress progress;
};

/// Joins what a device gave for the chunks of `folder` into stems.
/// @error kNotFound: chunks.json or a raw file; kInvalidArgument: a file of the wrong size (expected and found
///        are named), or the model's spectrogram branch is missing
[[nodiscard]] base::Result<SeparationReport> postprocess(const std::filesystem::path& folder,
                                                         const std::filesystem::path& output,
                                                         const PostprocessOptions& options);

}  // namespace slipway::pipelines::demucs
