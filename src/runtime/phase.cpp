#include "runtime/phase.hpp"

#include <algorithm>

#include <unistd.h>

#include "base/files.hpp"
#include "runtime/page_cache.hpp"
#include "runtime/process_memory.hpp"
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
constexpr std::chrono::seconds kLayerRunsTime{5};
constexpr std::chrono::seconds kWarmLoadsTime{5};
constexpr double kMostResidentShare = 0.1;

double microseconds_since(SteadyClock::time_point start) {
  return std::chrono::duration<double, std::micro>(SteadyClock::now() - start).count();
}

/// Tells the parent how far we are, not more often than a person can read.
class ProgressLine {
 public:
  void report(std::int64_t done, std::int64_t total) {
    const auto now = SteadyClock::now();
    if (now - last_ < std::chrono::milliseconds(100)) return;
    last_ = now;
    const std::string line = fmt::format("{} {}\n", done, total);
    // Nobody may be listening; that is no reason to stop measuring.
    [[maybe_unused]] const auto written = write(kProgressDescriptor, line.data(), line.size());
  }

 private:
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

base::Result<void> measure_inference(const PhaseRequest& request, const std::shared_ptr<Environment>& environment,
                                     PhaseOutcome& outcome) {
  const ProfileOptions& options = request.options;
  SLIPWAY_ASSIGN(const std::unique_ptr<Session> session, Session::load(environment, request.model, options.session));
  SLIPWAY_ASSIGN(const tensor::NamedTensors inputs, inputs_for(request, *session));
  outcome.placement = session->placement();

  const MemoryWatch memory(outcome.warnings);
  SLIPWAY_ASSIGN(const std::unique_ptr<BoundRun> bound, BoundRun::bind(*session, inputs));
  ProgressLine progress;
  const auto start = SteadyClock::now();
  const auto has_time = [&] { return SteadyClock::now() - start < options.max_time; };
  for (int run = 0; run < options.warmup_iterations && (run == 0 || has_time()); ++run) SLIPWAY_TRY(bound->run());
  std::vector<double>& times_us = outcome.measurement.times_us;
  times_us.reserve(static_cast<std::size_t>(std::clamp(options.max_iterations, 1, 1'000'000)));
  for (int run = 0; run < options.max_iterations && (run == 0 || has_time()); ++run) {
    const auto run_start = SteadyClock::now();
    SLIPWAY_TRY(bound->run());
    times_us.push_back(microseconds_since(run_start));
    progress.report(run + 1, options.max_iterations);
    // Sorting after every run would warm and cool the caches that are being measured: look at every tenth.
    const bool is_time_to_look = times_us.size() >= kRunsUntilStable && times_us.size() % 10 == 0;
    if (is_time_to_look && median_is_stable(times_us)) {
      outcome.stable = true;
      if (options.stop_when_stable) break;
    }
  }
  outcome.stable = outcome.stable || median_is_stable(times_us);
  memory.store(outcome.measurement);
  return {};
}

base::Result<void> measure_layers(const PhaseRequest& request, const std::shared_ptr<Environment>& environment,
                                  PhaseOutcome& outcome) {
  SessionOptions options = request.options.session;
  options.profile_prefix = request.options.work_folder / "trace";
  SLIPWAY_ASSIGN(const std::unique_ptr<Session> session, Session::load(environment, request.model, options));
  SLIPWAY_ASSIGN(const tensor::NamedTensors inputs, inputs_for(request, *session));
  SLIPWAY_ASSIGN(const std::unique_ptr<BoundRun> bound, BoundRun::bind(*session, inputs));
  const bool is_emulated = session->placement().is_emulated;
  const int warmup_runs = is_emulated ? 0 : 1;
  const int most_runs = is_emulated ? 1 : kMostLayerRuns;  // one run proves that it runs; its time means nothing
  for (int run = 0; run < warmup_runs; ++run) SLIPWAY_TRY(bound->run());
  ProgressLine progress;
  const auto start = SteadyClock::now();
  for (int run = 0; run < most_runs && (run == 0 || SteadyClock::now() - start < kLayerRunsTime); ++run) {
    SLIPWAY_TRY(bound->run());
    progress.report(run + 1, most_runs);
  }
  SLIPWAY_ASSIGN(outcome.chrome_trace, session->end_profiling());
  outcome.placement = session->placement();
  for (const std::string& line : session->log_lines()) outcome.warnings.push_back(line);
  if (is_emulated) {
    std::error_code ignored;
    std::filesystem::remove(outcome.chrome_trace, ignored);  // it holds the emulator's times, which are nobody's
    outcome.chrome_trace.clear();
    return {};
  }
  SLIPWAY_ASSIGN(Trace trace, read_trace(outcome.chrome_trace));
  for (KernelTimes& kernel : trace.kernels) {
    const auto dropped = std::min(kernel.times_us.size(), static_cast<std::size_t>(warmup_runs));
    kernel.times_us.erase(kernel.times_us.begin(), kernel.times_us.begin() + static_cast<std::ptrdiff_t>(dropped));
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
  // Libraries are loaded before any time is taken.
  if (request.options.session.provider.name == "qnn") [[maybe_unused]]
    const auto loaded = environment->providers();
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
