#include <algorithm>
#include <cmath>

#include "runtime/environment_state.hpp"
#include "runtime/phase.hpp"
#include "runtime/process_memory.hpp"
#include "tensor/npz.hpp"

namespace slipway::runtime {
namespace {

namespace fs = std::filesystem;
using base::Code;

constexpr double kMarginOfTracing = 1.25;                         // what a run may take longer while it is traced
constexpr std::uint64_t kTraceBytes = std::uint64_t{512} << 20U;  // that the events of a trace may take in memory
constexpr std::chrono::seconds kStoreInterval{5};

LayerTime timed(const KernelTimes& kernel) {
  LayerTime layer{.placement = kernel.placement, .median_us = std::nullopt, .lowest_us = std::nullopt};
  if (kernel.times_us.empty()) return layer;
  const Statistics statistics = statistics_of(kernel.times_us);
  layer.median_us = statistics.median_us;
  layer.lowest_us = statistics.min_us;
  return layer;
}

/// Kernels slowest first; after them the nodes that a provider runs inside a partition, which nobody timed one by one.
std::vector<LayerTime> layers_of(const PhaseOutcome& outcome) {
  std::vector<LayerTime> layers;
  for (const KernelTimes& kernel : outcome.kernels) layers.push_back(timed(kernel));
  std::ranges::stable_sort(layers, std::ranges::greater{},
                           [](const LayerTime& layer) { return layer.median_us.value_or(0); });
  for (const LayerPlacement& layer : outcome.placement.layers) {
    const bool is_timed_alone = layer.unit == ComputeUnit::kCpu && !outcome.kernels.empty();
    if (!is_timed_alone) layers.push_back({layer, std::nullopt, std::nullopt});
  }
  return layers;
}

base::Result<void> check(const ProfileOptions& options) {
  if (options.max_iterations < 1 || options.warmup_iterations < 0 || options.max_time.count() < 0) {
    return base::fail(
        Code::kInvalidArgument,
        "a profile takes 1 iteration or more, 0 warm-up iterations or more and no negative time; got {}, {} and {} ms",
        options.max_iterations, options.warmup_iterations, options.max_time.count());
  }
  std::error_code error;
  if (!fs::is_directory(options.work_folder, error)) {
    return base::fail(Code::kInvalidArgument, "the profile's work folder '{}' does not exist",
                      options.work_folder.string());
  }
  return {};
}

/// The phases of one profile, one after the other, and what became of them.
class Profiling {
 public:
  Profiling(PhaseRequest request, const Progress& progress, const Measured& measured)
      : request_(std::move(request)), progress_(progress), measured_(measured) {
    report_.machine = machine_name();
    report_.provider = request_.options.session.provider.name;
    report_.is_emulated = runtime::is_emulated(report_.provider);
  }

  base::Result<ProfileReport> run() {
    const ProfileOptions& options = request_.options;
    if (report_.is_emulated) {
      SLIPWAY_ASSIGN(const PhaseOutcome outcome, run_phase(Phase::kLayers));
      report_.placement = outcome.placement;
      report_.layers = layers_of(outcome);
      report_.warnings.emplace_back(
          "ran on Qualcomm's HTP emulator: nothing was measured on a device, so there are no times");
      return std::move(report_);
    }
    if (options.measure_phases) {
      SLIPWAY_ASSIGN(const PhaseOutcome cold, run_phase(Phase::kColdLoad));
      report_.cold_load = cold.measurement;
      store();
      measure_warm_load();
    }
    SLIPWAY_TRY(measure_inference());
    if (options.profile_layers && report_.inference_is_whole) time_layers();
    return std::move(report_);
  }

 private:
  base::Result<PhaseOutcome> run_phase(Phase phase) {
    request_.phase = phase;
    SLIPWAY_ASSIGN(PhaseOutcome outcome,
                   run_phase_process(request_, request_.options.work_folder,
                                     [&](std::int64_t done, std::int64_t total, const std::vector<double>& times_us) {
                                       if (progress_) progress_(phase_name(phase), done, total);
                                       if (phase == Phase::kInference) store_times(times_us);
                                     }));
    report_.onnxruntime_version = outcome.onnxruntime_version;
    for (const std::string& warning : outcome.warnings) {
      if (std::ranges::find(report_.warnings, warning) == report_.warnings.end()) report_.warnings.push_back(warning);
    }
    return outcome;
  }

  void measure_warm_load() {
    const auto warm = run_phase(Phase::kWarmLoad);
    if (warm) {
      report_.warm_load = warm->measurement;
    } else {
      miss(Phase::kWarmLoad, warm.error());
    }
    store();
  }

  base::Result<void> measure_inference() {
    auto inference = run_phase(Phase::kInference);
    if (!inference) {
      // Inputs that do not fit are the caller's to correct; what else fails takes nothing away from what is known.
      const bool is_all = report_.cold_load.times_us.empty() && report_.inference.times_us.empty();
      if (is_all || inference.error().code == Code::kInvalidArgument) return std::unexpected(inference.error());
      report_.inference_statistics = statistics_of(report_.inference.times_us);
      miss(Phase::kInference, inference.error());
      store();
      return {};
    }
    runs_us_ = inference->runs_us;
    report_.inference = std::move(inference->measurement);
    report_.inference_statistics = statistics_of(report_.inference.times_us);
    report_.inference_is_whole = true;
    report_.stable = inference->stable;
    report_.placement = std::move(inference->placement);
    store();
    return {};
  }

  void time_layers() {
    const ProfileOptions& options = request_.options;
    const auto left = options.max_time - std::chrono::milliseconds(std::llround(runs_us_ / 1000));
    const std::chrono::duration<double, std::micro> one_run(report_.inference_statistics.median_us);
    if (one_run * kMarginOfTracing > left) {
      miss(Phase::kLayers,
           {Code::kDeadlineExceeded,
            fmt::format("one run takes {:.1f} s, and {:.1f} s of the {:.1f} s for runs are left: allow "
                        "more time",
                        std::chrono::duration<double>(one_run).count(), std::chrono::duration<double>(left).count(),
                        std::chrono::duration<double>(options.max_time).count())});
      show_placement();
      return;
    }
    request_.resident_bytes = room_for_layers();
    if (report_.inference.peak.upper_bytes >= request_.resident_bytes) {
      miss(Phase::kLayers,
           {Code::kResourceExhausted,
            fmt::format("a run alone takes {} MB of memory and {} MB are allowed, which leaves no room for its trace",
                        report_.inference.peak.upper_bytes >> 20U, options.memory_bytes >> 20U),
            base::Reason::kOutOfMemory});
      show_placement();
      return;
    }
    const auto whole = request_.options.max_time;
    request_.options.max_time = left;
    const auto layers = run_phase(Phase::kLayers);
    request_.options.max_time = whole;
    if (!layers || layers->stopped) {
      miss(Phase::kLayers, layers ? *layers->stopped : layers.error());
      show_placement();
      return;
    }
    report_.layers = layers_of(*layers);
    report_.chrome_trace = layers->chrome_trace;
    if (report_.placement.layers.empty()) report_.placement = layers->placement;
  }

  /// What the process that times the layers may grow to: beside the run itself, its events until they are written.
  [[nodiscard]] std::uint64_t room_for_layers() const {
    const std::uint64_t wanted = report_.inference.peak.upper_bytes + kTraceBytes;
    const std::uint64_t allowed = request_.options.memory_bytes;
    const std::uint64_t own = resident_set().now_bytes;
    return allowed == 0 ? wanted : std::min(wanted, (allowed - std::min(allowed, own)) / 10 * 9);
  }

  /// Which layers there are is known without their times.
  void show_placement() {
    for (const LayerPlacement& layer : report_.placement.layers) {
      report_.layers.push_back({layer, std::nullopt, std::nullopt});
    }
  }

  void miss(Phase phase, const base::Error& reason) {
    report_.missing.push_back({std::string(phase_name(phase)), reason});
  }

  void store_times(const std::vector<double>& times_us) {
    if (times_us.size() == report_.inference.times_us.size()) return;
    report_.inference.times_us = times_us;
    if (std::chrono::steady_clock::now() - stored_ < kStoreInterval) return;
    report_.inference_statistics = statistics_of(times_us);
    store();
  }

  void store() {
    stored_ = std::chrono::steady_clock::now();
    if (measured_) measured_(report_);
  }

  PhaseRequest request_;
  const Progress& progress_;
  const Measured& measured_;
  ProfileReport report_;
  double runs_us_ = 0;
  std::chrono::steady_clock::time_point stored_ = std::chrono::steady_clock::now();
};

}  // namespace

const MissingPhase* ProfileReport::missing_phase(std::string_view name) const {
  const auto found = std::ranges::find(missing, name, &MissingPhase::name);
  return found == missing.end() ? nullptr : &*found;
}

base::Result<ProfileReport> profile(const LibraryPaths& libraries, const fs::path& model,
                                    const tensor::NamedTensors* inputs, const ProfileOptions& options,
                                    const Progress& progress, const Measured& measured) {
  SLIPWAY_TRY(check(options));
  PhaseRequest request{.phase = Phase::kInference,
                       .libraries = libraries,
                       .model = fs::absolute(model),
                       .inputs = {},
                       .outputs = {},
                       .resident_bytes = 0,
                       .options = options};
  request.options.work_folder = fs::absolute(options.work_folder);
  if (inputs != nullptr) {
    request.inputs = request.options.work_folder / "phase-inputs.npz";
    SLIPWAY_TRY(tensor::write_npz(request.inputs, *inputs));
  }
  return Profiling(std::move(request), progress, measured).run();
}

}  // namespace slipway::runtime
