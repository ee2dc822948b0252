#include <algorithm>

#include "runtime/environment_state.hpp"
#include "runtime/phase.hpp"
#include "tensor/npz.hpp"

namespace slipway::runtime {
namespace {

namespace fs = std::filesystem;
using base::Code;

void add_warnings(ProfileReport& report, const std::vector<std::string>& warnings) {
  for (const std::string& warning : warnings) {
    if (std::ranges::find(report.warnings, warning) == report.warnings.end()) report.warnings.push_back(warning);
  }
}

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
        "a profile takes 1 iteration or more, 0 warm-up iterations or more and no negative time; got {}, {} and {} s",
        options.max_iterations, options.warmup_iterations, options.max_time.count());
  }
  std::error_code error;
  if (!fs::is_directory(options.work_folder, error)) {
    return base::fail(Code::kInvalidArgument, "the profile's work folder '{}' does not exist",
                      options.work_folder.string());
  }
  return {};
}

}  // namespace

base::Result<ProfileReport> profile(const LibraryPaths& libraries, const fs::path& model,
                                    const tensor::NamedTensors* inputs, const ProfileOptions& options,
                                    const Progress& progress) {
  SLIPWAY_TRY(check(options));
  PhaseRequest request{.phase = Phase::kInference,
                       .libraries = libraries,
                       .model = fs::absolute(model),
                       .inputs = {},
                       .options = options};
  request.options.work_folder = fs::absolute(options.work_folder);
  if (inputs != nullptr) {
    request.inputs = request.options.work_folder / "phase-inputs.npz";
    SLIPWAY_TRY(tensor::write_npz(request.inputs, *inputs));
  }
  ProfileReport report;
  report.machine = machine_name();
  report.provider = options.session.provider.name;
  report.is_emulated = report.provider == "qnn" && htp_is_emulated();

  const auto run = [&](Phase phase) -> base::Result<PhaseOutcome> {
    request.phase = phase;
    SLIPWAY_ASSIGN(PhaseOutcome outcome, run_phase_process(request, request.options.work_folder, progress));
    report.onnxruntime_version = outcome.onnxruntime_version;
    add_warnings(report, outcome.warnings);
    return outcome;
  };
  if (report.is_emulated) {
    SLIPWAY_ASSIGN(const PhaseOutcome outcome, run(Phase::kLayers));
    report.placement = outcome.placement;
    report.layers = layers_of(outcome);
    report.warnings.emplace_back(
        "ran on Qualcomm's HTP emulator: nothing was measured on a device, so there are no times");
    return report;
  }
  if (options.measure_phases) {
    SLIPWAY_ASSIGN(const PhaseOutcome cold, run(Phase::kColdLoad));
    report.cold_load = cold.measurement;
    SLIPWAY_ASSIGN(const PhaseOutcome warm, run(Phase::kWarmLoad));
    report.warm_load = warm.measurement;
  }
  SLIPWAY_ASSIGN(PhaseOutcome inference, run(Phase::kInference));
  report.inference = std::move(inference.measurement);
  report.inference_statistics = statistics_of(report.inference.times_us);
  report.stable = inference.stable;
  report.placement = std::move(inference.placement);
  if (options.profile_layers) {
    SLIPWAY_ASSIGN(const PhaseOutcome layers, run(Phase::kLayers));
    report.layers = layers_of(layers);
    report.chrome_trace = layers.chrome_trace;
    if (report.placement.layers.empty()) report.placement = layers.placement;
  }
  return report;
}

}  // namespace slipway::runtime
