#include "pipelines/demucs/raw_chunks.hpp"

#include <chrono>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/files.hpp"
#include "media/stft.hpp"
#include "pipelines/demucs/raw_file.hpp"
#include "pipelines/demucs/segments.hpp"
#include "pipelines/demucs/song.hpp"

namespace slipway::pipelines::demucs {

using base::Code;
using base::fail;
using base::Result;

namespace {

constexpr std::string_view kSchema = "slipway-demucs-chunks/1";
constexpr std::uint64_t kManifestLimit = 1 << 20;
constexpr std::uint64_t kSpectrogramRows = 4 * media::Stft::kBins;

SegmentGrid grid_of(const ChunkManifest& manifest) {
  return SegmentGrid::of_song(manifest.frames, manifest.segment_samples, manifest.overlap);
}

std::string text_of(const ChunkManifest& m) {
  const nlohmann::ordered_json json = {{"schema", kSchema},
                                       {"song", m.song},
                                       {"frames", m.frames},
                                       {"sample_rate", m.sample_rate},
                                       {"mean", m.mean},
                                       {"deviation", m.deviation},
                                       {"segment_samples", m.segment_samples},
                                       {"overlap", m.overlap},
                                       {"chunks", m.count},
                                       {"sources", m.sources},
                                       {"gives_spectrogram", m.gives_spectrogram}};
  return json.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

Result<std::size_t> stems_in(const RawFileReader& file, const std::filesystem::path& path, const ChunkManifest& m,
                             std::uint64_t floats_per_chunk, std::string_view shape) {
  const std::uint64_t unit = static_cast<std::uint64_t>(m.count) * floats_per_chunk * sizeof(float);
  const std::uint64_t stems = file.size_bytes() / unit;
  const bool fits = file.size_bytes() % unit == 0 && (m.sources.empty() ? stems > 0 : stems == m.sources.size());
  if (fits) return static_cast<std::size_t>(stems);
  const std::uint64_t wanted = m.sources.empty() ? 4 : m.sources.size();
  return fail(Code::kInvalidArgument, "{}: expected {} bytes (float32 [{}]{}), found {}", path.string(), wanted * unit,
              fmt::format(fmt::runtime(shape), m.count, wanted), m.sources.empty() ? ", for four stems" : "",
              file.size_bytes());
}

}  // namespace

Result<ChunkManifest> read_manifest(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / "chunks.json";
  auto text = base::read_file(path, kManifestLimit);
  if (!text) return std::unexpected(text.error().with("expected a folder that `demucs preprocess` wrote"));
  ChunkManifest m;
  try {
    const auto json = nlohmann::json::parse(*text);
    if (json.at("schema") != kSchema)
      return fail(Code::kInvalidArgument, "{}: expected schema {}", path.string(), kSchema);
    m.song = json.at("song");
    m.frames = json.at("frames");
    m.sample_rate = json.at("sample_rate");
    m.mean = json.at("mean");
    m.deviation = json.at("deviation");
    m.segment_samples = json.at("segment_samples");
    m.overlap = json.at("overlap");
    m.count = json.at("chunks");
    m.sources = json.at("sources").get<std::vector<std::string>>();
    m.gives_spectrogram = json.at("gives_spectrogram");
  } catch (const nlohmann::json::exception& error) {
    return fail(Code::kInvalidArgument, "{}: {}", path.string(), error.what());
  }
  constexpr std::int64_t kMostFrames = std::int64_t{1} << 40;
  const bool is_sane = m.frames > 0 && m.frames < kMostFrames && m.segment_samples >= 4096 &&
                       m.segment_samples < (std::int64_t{1} << 28) && m.overlap >= 0 && m.overlap < 1 &&
                       m.sample_rate > 0 && std::isfinite(m.mean) && std::isfinite(m.deviation);
  if (!is_sane || grid_of(m).stride < 1 || grid_of(m).count() != m.count) {
    return fail(Code::kInvalidArgument, "{}: its numbers do not fit each other; run preprocess again", path.string());
  }
  for (const std::string& name : m.sources) {
    if (name.empty() || name.find('/') != std::string::npos || name.front() == '.') {
      return fail(Code::kInvalidArgument, "{}: '{}' cannot be a file's name", path.string(), name);
    }
  }
  return m;
}

/// The number of stems that a file of this size holds.

Result<ChunkManifest> preprocess(const std::filesystem::path& song, const Form& form,
                                 const std::filesystem::path& folder, const ChunkProgress& progress) {
  SLIPWAY_ASSIGN(auto stft,
                 media::Stft::create(static_cast<std::size_t>(std::max<std::int64_t>(0, form.segment_samples))));
  ChunkManifest m;
  m.segment_samples = form.segment_samples;
  m.overlap = form.overlap;
  m.sample_rate = form.sample_rate;
  m.sources = form.sources;
  m.gives_spectrogram = form.gives_spectrogram;
  m.song = song.filename().string();
  if (!(m.overlap >= 0 && m.overlap < 1))
    return fail(Code::kInvalidArgument, "overlap: expected [0, 1), found {}", m.overlap);
  SLIPWAY_ASSIGN(const SongFacts facts, measure_song(song, form.sample_rate));
  m.frames = facts.frames;
  m.mean = facts.mean;
  m.deviation = facts.deviation;
  m.warnings = facts.warnings;
  const SegmentGrid grid = grid_of(m);
  if (grid.stride < 1) return fail(Code::kInvalidArgument, "overlap: {} leaves no step between chunks", m.overlap);
  m.count = grid.count();

  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return fail(Code::kPermissionDenied, "{}: cannot be made: {}", folder.string(), error.message());
  // The manifest of an earlier run would stand for files that are being replaced.
  std::filesystem::remove(folder / "chunks.json", error);
  SLIPWAY_ASSIGN(auto windows, SongWindows::open(song, form.sample_rate, facts));
  SLIPWAY_ASSIGN(auto input, RawFileWriter::create(folder / "input.raw"));
  SLIPWAY_ASSIGN(auto x, RawFileWriter::create(folder / "x.raw"));
  std::vector<float> window(2 * stft.segment_samples());
  std::vector<float> spectrogram(2 * stft.floats_per_channel());
  for (std::int64_t k = 0; k < m.count; ++k) {
    windows.forget_before(grid.window_start(k));
    SLIPWAY_TRY(windows.read(grid.window_start(k), window));
    stft.forward(window, spectrogram);
    SLIPWAY_TRY(input.write(window));
    SLIPWAY_TRY(x.write(spectrogram));
    if (progress) progress(k + 1, m.count);
  }
  SLIPWAY_TRY(input.finish());
  SLIPWAY_TRY(x.finish());
  SLIPWAY_TRY(base::write_file_durably(folder / "chunks.json", text_of(m)));
  return m;
}

Result<SeparationReport> postprocess(const std::filesystem::path& folder, const std::filesystem::path& output,
                                     const PostprocessOptions& options) {
  const auto started = std::chrono::steady_clock::now();
  SLIPWAY_ASSIGN(const ChunkManifest m, read_manifest(folder));
  SLIPWAY_ASSIGN(auto waves_file, RawFileReader::open(options.raw_file));
  std::filesystem::path spectrogram_path = options.spectrogram_file;
  if (spectrogram_path.empty() && std::filesystem::exists(options.raw_file.parent_path() / "output.raw")) {
    spectrogram_path = options.raw_file.parent_path() / "output.raw";
  }
  if (spectrogram_path.empty() && m.gives_spectrogram) {
    return fail(
        Code::kInvalidArgument,
        "the model gives its spectrogram branch as 'output', and there is no output.raw beside {}: name it with "
        "--spectrogram-file, or export the model with --istft inside",
        options.raw_file.string());
  }
  const auto segment = static_cast<std::uint64_t>(m.segment_samples);
  SLIPWAY_ASSIGN(auto stft, media::Stft::create(segment));
  SLIPWAY_ASSIGN(const std::size_t stems,
                 stems_in(waves_file, options.raw_file, m, 2 * segment, fmt::format("{{}}, {{}}, 2, {}", segment)));
  std::optional<RawFileReader> spectrogram_file;
  if (!spectrogram_path.empty()) {
    SLIPWAY_ASSIGN(auto file, RawFileReader::open(spectrogram_path));
    SLIPWAY_ASSIGN(const std::size_t found, stems_in(file, spectrogram_path, m, kSpectrogramRows * stft.frames(),
                                                     fmt::format("{{}}, {{}}, 4, 2048, {}", stft.frames())));
    if (found != stems) {
      return fail(Code::kInvalidArgument, "{} holds {} stems, {} holds {}", options.raw_file.string(), stems,
                  spectrogram_path.string(), found);
    }
    spectrogram_file.emplace(std::move(file));
  }
  const std::vector<std::string> sources = m.sources.empty() ? default_sources(stems) : m.sources;
  if (sources.empty()) {
    return fail(Code::kInvalidArgument, "{}: {} stems have no names: name the model to `demucs preprocess --model`",
                options.raw_file.string(), stems);
  }

  SLIPWAY_ASSIGN(StemFiles files,
                 StemFiles::create(output, sources, options.two_stems, m.sample_rate, options.encoding, m.frames));
  SeparationReport report;
  report.frames = m.frames;
  report.sample_rate = m.sample_rate;
  report.segments = m.count;
  OverlapAdd sum(grid_of(m), stems * 2);
  std::vector<float> waves(stems * 2 * segment);
  std::vector<float> spectrograms(spectrogram_file ? stems * 2 * stft.floats_per_channel() : 0);
  std::vector<float> mixed;
  std::int64_t emitted = 0;
  while (!sum.is_complete()) {
    SLIPWAY_TRY(waves_file.read(waves));
    if (spectrogram_file) {
      SLIPWAY_TRY(spectrogram_file->read(spectrograms));
      stft.add_inverse(spectrograms, waves);
    }
    sum.add(waves);
    const std::int64_t finished = sum.finished_until();
    mixed.resize(stems * 2 * static_cast<std::size_t>(finished - emitted));
    sum.read(emitted, finished, mixed);
    for (float& value : mixed) value = value * m.deviation + m.mean;
    SLIPWAY_TRY(files.write(mixed, static_cast<std::size_t>(finished - emitted)));
    emitted = finished;
    if (options.progress) options.progress(sum.next(), m.count);
  }
  SLIPWAY_ASSIGN(report.stems, files.finish());
  report.total_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  return report;
}

}  // namespace slipway::pipelines::demucs
