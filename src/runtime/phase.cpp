#include "runtime/phase.hpp"

#include <algorithm>
#include <cmath>

#include <unistd.h>

#include "base/files.hpp"
#include "runtime/page_cache.hpp"
#include "runtime/process_memory.hpp"
#include "runtime/run_limit.hpp"
#include "runtime/statistics.hpp"
#include "tensor/npz.hpp"

namespace slipway::runtime {
namespace {

using SteadyClock = std::chrono::steady_clock;
using std::chrono::duration_cast;

constexpr std::uint64_t kRequestLimitBytes = std::uint64_t{16} << 20U;
constexpr std::uint64_t kSeed = 1;
constexpr int kMostWarmLoads = 3;
constexpr int kMostLayerRuns = 20;
constexpr int kMostTraceEvents = 200'000;  // each holds about a kilobyte until the trace is written
constexpr double kLayerRunsUs = 5e6;
constexpr double kShareBesideLayers = 0.75;  // of the time for runs: the rest is for those that time the layers
constexpr std::chrono::seconds kWarmLoadsTime{5};
constexpr double kMostResidentShare = 0.1;

double microseconds_since(SteadyClock::time_point start) {
  return std::chrono::duration<double, std::micro>(SteadyClock::now() - start).count();
}

/// Tells the parent how far we are, not more often than a person can read.
class ProgressLine {
 public:
  explicit ProgressLine(std::int64_t total) : total_(total) { send(); }

  void add(double time_us) {
    ++done_;
    fmt::format_to(std::back_inserter(times_), " {:.3f}", time_us);
    if (SteadyClock::now() - last_ >= std::chrono::milliseconds(100)) send();
  }

 private:
  void send() {
    last_ = SteadyClock::now();
    const std::string line = fmt::format("{} {}{}\n", done_, total_, times_);
    times_.clear();
    // Nobody may be listening; that is no reason to stop measuring.
    [[maybe_unused]] const auto written = write(kProgressDescriptor, line.data(), line.size());
  }

  const std::int64_t total_;
  std::int64_t done_ = 0;
  std::string times_;
  SteadyClock::time_point last_;
};

/// Measures how the resident set grows from its construction on.
class MemoryWatch {
 public:
  explicit MemoryWatch(std::vector<std::string>& warnings) : before_(resident_set().now_bytes) {
    if (!reset_peak())
      warnings.emplace_back(
          "this kernel does not reset the peak of the resident set: peaks are those of the whole process");
  }

  void store(PhaseMeasurement& measurement) const {
    const ResidentSet after = resident_set();
    measurement.peak = {after.now_bytes, after.peak_bytes};
    measurement.increase = {grown(after.now_bytes), grown(after.peak_bytes)};
  }

 private:
  [[nodiscard]] std::uint64_t grown(std::uint64_t bytes) const { return bytes > before_ ? bytes - before_ : 0; }
  std::uint64_t before_;
};

base::Result<tensor::NamedTensors> inputs_for(const PhaseRequest& request, const Session& session) {
  if (!request.inputs.empty()) return tensor::read_npz(request.inputs);
  return random_inputs(session.inputs(), kSeed);
}

/// Loads with nothing recorded, so that the time is that of loading.
base::Result<double> timed_load(const PhaseRequest& request, const std::shared_ptr<Environment>& environment,
                                std::unique_ptr<Session>& session) {
  SessionOptions options = request.options.session;
  options.record_placement = false;
  const auto start = SteadyClock::now();
  SLIPWAY_ASSIGN(session, Session::load(environment, request.model, options));
  return microseconds_since(start);
}

base::Result<void> measure_cold_load(const PhaseRequest& request, const std::shared_ptr<Environment>& environment,
                                     PhaseOutcome& outcome) {
  const double resident = drop_from_page_cache(request.model);
  if (resident > kMostResidentShare) {
    outcome.warnings.push_back(fmt::format(
        "{:.0f} % of the model file stayed in memory: its cold load did not read the disk", resident * 100));
  }
  const MemoryWatch memory(outcome.warnings);
  std::unique_ptr<Session> session;
  SLIPWAY_ASSIGN(const double time_us, timed_load(request, environment, session));
  memory.store(outcome.measurement);
  outcome.measurement.times_us.push_back(time_us);
  return {};
}

base::Result<void> measure_warm_load(const PhaseRequest& request, const std::shared_ptr<Environment>& environment,
                                     PhaseOutcome& outcome) {
  std::unique_ptr<Session> session;
  SLIPWAY_TRY(timed_load(request, environment, session));
  const auto start = SteadyClock::now();
  for (int load = 0; load < kMostWarmLoads && SteadyClock::now() - start < kWarmLoadsTime; ++load) {
    session.reset();
    const MemoryWatch memory(outcome.warnings);
    SLIPWAY_ASSIGN(const double time_us, timed_load(request, environment, session));
    if (load == 0) memory.store(outcome.measurement);
    outcome.measurement.times_us.push_back(time_us);
  }
  return {};
}

/// What to think of when a model does not do well on inputs that nobody chose; empty when they were given.
std::string blame_of_random_inputs(const PhaseRequest& request) {
  if (!request.inputs.empty()) return {};
  const std::string& advice = request.options.inputs_advice;
  return fmt::format("; the inputs were random (floats from 0 to 1, integers 0 or 1), which may be the cause{}{}",
                     advice.empty() ? "" : ": ", advice);
}

/// Times say little of a model whose numbers are none. @pre the last run ended
void warn_of_nan(const PhaseRequest& request, BoundRun& bound, PhaseOutcome& outcome) {
  const auto outputs = bound.outputs();
  if (!outputs) return;
  for (const tensor::NamedTensor& output : **outputs) {
    if (output.tensor.dtype() != tensor::Dtype::kFloat32) continue;
    if (std::ranges::none_of(output.tensor.values<float>(), [](float value) { return std::isnan(value); })) continue;
    outcome.warnings.push_back(fmt::format("output '{}' holds values that are no number (NaN){}", output.name,
                                           blame_of_random_inputs(request)));
  }
}

/// One run. @return its time, or nothing when the limit stopped it
base::Result<std::optional<double>> timed_run(const PhaseRequest& request, BoundRun& bound) {
  const auto start = SteadyClock::now();
  const auto ran = bound.run();
  if (ran) return microseconds_since(start);
  if (ran.error().code == base::Code::kCancelled) return std::nullopt;
  base::Error error = ran.error();
  error.message += blame_of_random_inputs(request);
  return std::unexpected(std::move(error));
}

base::Result<void> measure_inference(const PhaseRequest& request, const std::shared_ptr<Environment>& environment,
                                     PhaseOutcome& outcome) {
  const ProfileOptions& options = request.options;
  SLIPWAY_ASSIGN(const std::unique_ptr<Session> session, Session::load(environment, request.model, options.session));
  SLIPWAY_ASSIGN(const tensor::NamedTensors inputs, inputs_for(request, *session));
  outcome.placement = session->placement();

  const MemoryWatch memory(outcome.warnings);
  ProgressLine progress(options.max_iterations);
  RunLimit limit(options.max_time, 0);
  SLIPWAY_ASSIGN(const std::unique_ptr<BoundRun> bound, BoundRun::bind(*session, inputs, limit.flag()));
  double last_us = 0;
  std::optional<double> warmup_us;
  // A warm-up leaves room for itself and for a run that counts.
  for (int run = 0; run < options.warmup_iterations && (run == 0 || limit.has_room_for(2, last_us)); ++run) {
    SLIPWAY_ASSIGN(warmup_us, timed_run(request, *bound));
    if (!warmup_us) return std::unexpected(limit.reason());
    last_us = *warmup_us;
  }
  std::vector<double>& times_us = outcome.measurement.times_us;
  times_us.reserve(static_cast<std::size_t>(std::clamp(options.max_iterations, 1, 1'000'000)));
  const double share = options.profile_layers ? kShareBesideLayers : 1;
  bool was_stopped = false;
  for (int run = 0; run < options.max_iterations && limit.has_room_for(1, last_us, run == 0 ? 1 : share); ++run) {
    SLIPWAY_ASSIGN(const std::optional<double> time_us, timed_run(request, *bound));
    was_stopped = !time_us;
    if (was_stopped) break;
    last_us = *time_us;
    times_us.push_back(last_us);
    progress.add(last_us);
    // Sorting after every run would warm and cool the caches that are being measured: look at every tenth.
    const bool is_time_to_check = times_us.size() >= kRunsUntilStable && times_us.size() % 10 == 0;
    if (is_time_to_check && median_is_stable(times_us)) {
      outcome.stable = true;
      if (options.stop_when_stable) break;
    }
  }
  outcome.runs_us = limit.elapsed_us();
  if (times_us.empty()) {
    if (!warmup_us) return std::unexpected(limit.reason());
    times_us.push_back(*warmup_us);
    outcome.warnings.push_back(
        fmt::format("the time is that of the first run, which also makes room for what later ones find made: a second "
                    "one had no room within {:.1f} s",
                    std::chrono::duration<double>(options.max_time).count()));
  }
  outcome.stable = outcome.stable || median_is_stable(times_us);
  memory.store(outcome.measurement);
  if (!was_stopped) warn_of_nan(request, *bound, outcome);
  if (request.outputs.empty()) return {};
  // A run that was stopped has left no outputs.
  if (was_stopped) SLIPWAY_TRY(bound->run());
  SLIPWAY_ASSIGN(const tensor::NamedTensors* outputs, bound->outputs());
  return tensor::write_npz(request.outputs, *outputs);
}

base::Result<void> measure_layers(const PhaseRequest& request, const std::shared_ptr<Environment>& environment,
                                  PhaseOutcome& outcome) {
  SessionOptions options = request.options.session;
  options.profile_prefix = request.options.work_folder / "trace";
  SLIPWAY_ASSIGN(const std::unique_ptr<Session> session, Session::load(environment, request.model, options));
  SLIPWAY_ASSIGN(const tensor::NamedTensors inputs, inputs_for(request, *session));
  const bool is_emulated = session->placement().is_emulated;
  // One run on the emulator proves that it runs; its time means nothing. Elsewhere the first is a warm-up, and a large
  // graph is run less often.
  const int nodes = std::max(1, session->placement().node_count());
  const int most_runs = is_emulated ? 1 : std::clamp(kMostTraceEvents / nodes, 2, kMostLayerRuns + 1);
  ProgressLine progress(most_runs);
  RunLimit limit(request.options.max_time, request.resident_bytes);
  SLIPWAY_ASSIGN(const std::unique_ptr<BoundRun> bound,
                 BoundRun::bind(*session, inputs, is_emulated ? nullptr : limit.flag()));
  int runs = 0;
  for (double last_us = 0; runs < most_runs; ++runs) {
    const bool is_long_enough = runs >= 2 && limit.elapsed_us() + last_us > kLayerRunsUs;
    if (is_long_enough || !limit.has_room_for(runs == 0 ? 0 : 1, last_us)) break;
    SLIPWAY_ASSIGN(const std::optional<double> time_us, timed_run(request, *bound));
    if (!time_us) break;
    last_us = *time_us;
    progress.add(last_us);
  }
  outcome.runs_us = limit.elapsed_us();
  SLIPWAY_ASSIGN(outcome.chrome_trace, session->end_profiling());
  outcome.placement = session->placement();
  for (const std::string& line : session->log_lines()) outcome.warnings.push_back(line);
  if (runs == 0) outcome.stopped = limit.reason();
  if (is_emulated || outcome.stopped) {
    std::error_code ignored;
    std::filesystem::remove(outcome.chrome_trace, ignored);  // the emulator's times are nobody's, nor are half a run's
    outcome.chrome_trace.clear();
    return {};
  }
  SLIPWAY_ASSIGN(Trace trace, read_trace(outcome.chrome_trace));
  for (KernelTimes& kernel : trace.kernels) {
    // Only what belongs to runs that ended counts, and of several not the first, which warms up.
    kernel.times_us.resize(std::min(kernel.times_us.size(), static_cast<std::size_t>(runs)));
    if (kernel.times_us.size() > 1) kernel.times_us.erase(kernel.times_us.begin());
  }
  outcome.kernels = std::move(trace.kernels);
  return {};
}

}  // namespace

std::string_view phase_name(Phase phase) {
  switch (phase) {
    case Phase::kColdLoad:
      return "cold load";
    case Phase::kWarmLoad:
      return "warm load";
    case Phase::kInference:
      return "inference";
    case Phase::kLayers:
      return "layers";
  }
  return "phase";
}

base::Result<PhaseOutcome> measure_phase(const PhaseRequest& request) {
  SLIPWAY_ASSIGN(const std::shared_ptr<Environment> environment, Environment::open(request.libraries));
  // A plug-in's library is loaded before any time is taken; whether it can be, the session says.
  const auto row = find_provider(request.options.session.provider.name);
  if (row && (*row)->is_plugin) [[maybe_unused]]
    const auto found = (*row)->find(*environment, **row);
  PhaseOutcome outcome;
  outcome.onnxruntime_version = environment->onnxruntime_version();
  switch (request.phase) {
    case Phase::kColdLoad:
      SLIPWAY_TRY(measure_cold_load(request, environment, outcome));
      break;
    case Phase::kWarmLoad:
      SLIPWAY_TRY(measure_warm_load(request, environment, outcome));
      break;
    case Phase::kInference:
      SLIPWAY_TRY(measure_inference(request, environment, outcome));
      break;
    case Phase::kLayers:
      SLIPWAY_TRY(measure_layers(request, environment, outcome));
      break;
  }
  return outcome;
}

std::optional<int> run_phase_if_asked(int argc, char** argv) {
  if (argc != 3 || argv[1] != kPhaseCommand) return std::nullopt;
  const std::filesystem::path folder = argv[2];
  const auto text = base::read_file(folder / kRequestFile, kRequestLimitBytes);
  if (!text) return 1;
  const auto request = phase_request_from_json(*text);
  const base::Result<PhaseOutcome> outcome =
      request ? measure_phase(*request) : base::Result<PhaseOutcome>(std::unexpected(request.error()));
  if (!base::write_file_durably(folder / kOutcomeFile, to_json(outcome))) return 1;
  return 0;
}

}  // namespace slipway::runtime
