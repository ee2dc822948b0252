#include "pipelines/demucs/separate.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <random>
#include <utility>

#include "base/machine_memory.hpp"
#include "media/stft.hpp"
#include "pipelines/demucs/segments.hpp"
#include "pipelines/demucs/song.hpp"

namespace slipway::pipelines::demucs {

using base::Code;
using base::fail;
using base::Result;

namespace {

using Clock = std::chrono::steady_clock;

double seconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

class Stopwatch {
 public:
  /// Seconds since the last call.
  double lap() {
    const auto now = Clock::now();
    return seconds(now - std::exchange(last_, now));
  }

 private:
  Clock::time_point last_ = Clock::now();
};

/// One pass of one graph over the song.
struct Pass {
  std::size_t graph;
  OverlapAdd sum;

  [[nodiscard]] std::int64_t next_window() const {
    return sum.is_complete() ? std::numeric_limits<std::int64_t>::max() : sum.grid().window_start(sum.next());
  }
};

Result<void> check(const SeparationOptions& options, const Form& form) {
  if (options.overlap >= 1) return fail(Code::kInvalidArgument, "overlap: expected [0, 1), found {}", options.overlap);
  if (options.shifts < 0 || options.shifts > 100) {
    return fail(Code::kInvalidArgument, "shifts: expected 0 to 100, found {}", options.shifts);
  }
  if (options.mode == Mode::kBatch && options.batch < 1) {
    return fail(Code::kInvalidArgument, "batch: expected a positive number, found {}", options.batch);
  }
  if (options.mode == Mode::kBatch && form.batch == 1) {
    return fail(Code::kInvalidArgument,
                "this model takes one segment a run; for --mode batch export it with --batch dynamic or --batch {}",
                options.batch);
  }
  if (options.mode == Mode::kBatch && form.batch < 0) {
    // Of a segment: sound and spectrogram, in and out.
    const auto stems = static_cast<std::uint64_t>(form.sources.size());
    const std::uint64_t sound = 2 * static_cast<std::uint64_t>(form.segment_samples);
    const std::uint64_t spectrogram = 4 * media::Stft::kBins * static_cast<std::uint64_t>(form.frames());
    return base::check_memory(
        static_cast<std::uint64_t>(options.batch) * (stems + 1) * (sound + spectrogram) * sizeof(float), [&] {
          return fmt::format("--batch {}: so many segments of {} samples at a time", options.batch,
                             form.segment_samples);
        });
  }
  return {};
}

/// One offset a pass: drawn like random.randint(0, max_shift) of every shift and graph, or as given.
Result<std::vector<std::int64_t>> offsets_of(const SeparationOptions& options, std::size_t graphs,
                                             std::int64_t max_shift) {
  const std::size_t count = graphs * static_cast<std::size_t>(options.shifts);
  std::vector<std::int64_t> offsets = options.shift_offsets;
  if (offsets.empty()) {
    std::mt19937_64 generator(options.seed);
    // Not std::uniform_int_distribution: its values differ from library to library.
    for (std::size_t k = 0; k < count; ++k) {
      offsets.push_back(static_cast<std::int64_t>(generator() % static_cast<std::uint64_t>(max_shift + 1)));
    }
  }
  const bool in_range = std::ranges::all_of(offsets, [&](std::int64_t o) { return o >= 0 && o <= max_shift; });
  if (offsets.size() != count || !in_range) {
    return fail(Code::kInvalidArgument, "shift offsets: expected {} numbers of 0 to {}", count, max_shift);
  }
  return offsets;
}

/// The mean over shifts and the weighted mean over graphs of the samples [begin, end), in the song's own scale.
class Mixer {
 public:
  Mixer(const Network& network, int shifts, const SongFacts& facts)
      : network_(network), shifts_(shifts), facts_(facts) {
    totals_.assign(network.form().sources.size(), 0.0);
    for (std::size_t g = 0; g < network.graph_count(); ++g) {
      for (std::size_t s = 0; s < totals_.size(); ++s) totals_[s] += network.stem_weights(g)[s];
    }
  }

  [[nodiscard]] const std::vector<double>& totals() const { return totals_; }

  /// `waves` becomes [S][2][end - begin].
  void mix(std::vector<Pass>& passes, std::int64_t begin, std::int64_t end, std::vector<float>& waves) {
    const std::size_t count = static_cast<std::size_t>(end - begin);
    const std::size_t floats = totals_.size() * 2 * count;
    const bool is_bag = network_.graph_count() > 1;
    if (passes.size() == 1) {
      waves.resize(floats);
      passes.front().sum.read(begin, end, waves);
      for (float& value : waves) value = value * facts_.deviation + facts_.mean;
      return;
    }
    waves.assign(floats, 0.0F);
    for (std::size_t g = 0; g < network_.graph_count(); ++g) {
      estimate_.assign(floats, 0.0F);
      for (Pass& pass : passes) {
        if (pass.graph != g) continue;
        piece_.resize(floats);
        pass.sum.read(begin, end, piece_);
        for (std::size_t i = 0; i < floats; ++i) estimate_[i] += piece_[i];
      }
      if (shifts_ > 0) {
        for (float& value : estimate_) value /= static_cast<float>(shifts_);
      }
      for (std::size_t s = 0; s < totals_.size(); ++s) {
        const auto weight = static_cast<float>(is_bag ? network_.stem_weights(g)[s] : 1.0);
        for (std::size_t i = s * 2 * count; i < (s + 1) * 2 * count; ++i) waves[i] += estimate_[i] * weight;
      }
    }
    for (std::size_t s = 0; s < totals_.size(); ++s) {
      const auto total = static_cast<float>(is_bag ? totals_[s] : 1.0);
      for (std::size_t i = s * 2 * count; i < (s + 1) * 2 * count; ++i) {
        waves[i] = waves[i] / total * facts_.deviation + facts_.mean;
      }
    }
  }

 private:
  const Network& network_;
  int shifts_;
  const SongFacts& facts_;
  std::vector<double> totals_;
  std::vector<float> estimate_, piece_;
};

Result<std::vector<Pass>> passes_of(const Network& network, const SeparationOptions& options, std::int64_t length,
                                    std::vector<std::int64_t>& offsets) {
  const Form& form = network.form();
  const double overlap = options.overlap < 0 ? form.overlap : options.overlap;
  const std::int64_t max_shift = form.sample_rate / 2;
  if (SegmentGrid::of_song(length, form.segment_samples, overlap).stride < 1) {
    return fail(Code::kInvalidArgument, "overlap: {} leaves no step between segments", overlap);
  }
  SLIPWAY_ASSIGN(offsets, offsets_of(options, network.graph_count(), max_shift));
  const std::size_t rows = form.sources.size() * 2;
  std::vector<Pass> passes;
  for (std::size_t g = 0; g < network.graph_count(); ++g) {
    if (options.shifts == 0) {
      passes.push_back({g, OverlapAdd(SegmentGrid::of_song(length, form.segment_samples, overlap), rows)});
    }
    for (int shift = 0; shift < options.shifts; ++shift) {
      const std::int64_t offset =
          offsets[g * static_cast<std::size_t>(options.shifts) + static_cast<std::size_t>(shift)];
      passes.push_back(
          {g, OverlapAdd(SegmentGrid::shifted(length, form.segment_samples, overlap, max_shift, offset), rows)});
    }
  }
  return passes;
}

}  // namespace

Result<SeparationReport> separate(Network& network, const std::filesystem::path& song,
                                  const std::filesystem::path& output, const SeparationOptions& options) {
  const Form& form = network.form();
  SLIPWAY_TRY(check(options, form));
  Stopwatch total, watch;
  SeparationReport report;
  report.sample_rate = form.sample_rate;
  SLIPWAY_ASSIGN(SongFacts facts, measure_song(song, form.sample_rate));
  report.warnings = facts.warnings;
  report.measure_seconds = watch.lap();

  const auto segment = static_cast<std::size_t>(form.segment_samples);
  const std::int64_t length =
      options.mode == Mode::kSingle ? std::min(facts.frames, form.segment_samples) : facts.frames;
  report.frames = length;
  SLIPWAY_ASSIGN(std::vector<Pass> passes, passes_of(network, options, length, report.shift_offsets));
  Mixer mixer(network, options.shifts, facts);
  if (std::ranges::any_of(mixer.totals(), [](double t) { return !(t > 0); })) {
    return fail(Code::kInvalidArgument,
                "the weights of the bag's graphs give some stem nothing: see stem_weights in model.yaml");
  }
  SLIPWAY_ASSIGN(SongWindows windows, SongWindows::open(song, form.sample_rate, facts));
  SLIPWAY_ASSIGN(StemFiles files, StemFiles::create(output, form.sources, options.two_stems, form.sample_rate,
                                                    options.encoding, length));

  std::int64_t all = 0;
  for (const Pass& pass : passes) all += pass.sum.grid().count();
  const auto batch = static_cast<std::size_t>(options.mode == Mode::kBatch ? options.batch : 1);
  const NetworkTimes before = network.times();
  const std::size_t stem_floats = form.sources.size() * 2 * segment;
  std::vector<float> group, stems, waves;
  std::int64_t emitted = 0;
  if (options.progress) options.progress(0, all);
  while (emitted < length) {
    Pass& pass = *std::ranges::min_element(passes, {}, &Pass::next_window);
    const auto left = static_cast<std::size_t>(pass.sum.grid().count() - pass.sum.next());
    const std::size_t count = std::min(left, network.group_size(batch));
    watch.lap();
    group.resize(count * 2 * segment);
    stems.resize(count * stem_floats);
    for (std::size_t k = 0; k < count; ++k) {
      const std::int64_t start = pass.sum.grid().window_start(pass.sum.next() + static_cast<std::int64_t>(k));
      SLIPWAY_TRY(windows.read(start, std::span(group).subspan(k * 2 * segment, 2 * segment)));
    }
    report.read_seconds += watch.lap();
    const auto spent = network.times().network;
    SLIPWAY_TRY(network.run(pass.graph, batch, group, stems, options.cancel));
    report.network_run_seconds.push_back(seconds(network.times().network - spent));
    watch.lap();
    for (std::size_t k = 0; k < count; ++k) {
      pass.sum.add(std::span<const float>(stems).subspan(k * stem_floats, stem_floats));
    }
    report.segments += static_cast<std::int64_t>(count);

    std::int64_t finished = length;
    std::int64_t needed = std::numeric_limits<std::int64_t>::max();
    for (const Pass& each : passes) {
      finished = std::min(finished, each.sum.finished_until());
      needed = std::min(needed, each.next_window());
    }
    windows.forget_before(needed);
    if (finished > emitted) {
      mixer.mix(passes, emitted, finished, waves);
      report.overlap_add_seconds += watch.lap();
      SLIPWAY_TRY(files.write(waves, static_cast<std::size_t>(finished - emitted)));
      report.write_seconds += watch.lap();
      emitted = finished;
    } else {
      report.overlap_add_seconds += watch.lap();
    }
    if (options.progress) options.progress(report.segments, all);
  }
  watch.lap();
  SLIPWAY_ASSIGN(report.stems, files.finish());
  report.write_seconds += watch.lap();
  report.stft_seconds = seconds(network.times().stft - before.stft);
  report.network_seconds = seconds(network.times().network - before.network);
  report.istft_seconds = seconds(network.times().istft - before.istft);
  report.total_seconds = total.lap();
  return report;
}

}  // namespace slipway::pipelines::demucs
