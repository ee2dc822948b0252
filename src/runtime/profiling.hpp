#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "runtime/session.hpp"

namespace slipway::runtime {

/// Statistics of samples in microseconds.
struct Statistics {
  std::int64_t count = 0;
  double min_us = 0, median_us = 0, mean_us = 0, p90_us = 0, p95_us = 0, p99_us = 0, max_us = 0, stddev_us = 0;
};
[[nodiscard]] Statistics statistics_of(std::vector<double> samples_us);

struct MemoryRange {
  std::uint64_t lower_bytes = 0;
  std::uint64_t upper_bytes = 0;
};

/// One phase, measured in a process of its own. Empty times mean that the phase was not measured.
struct PhaseMeasurement {
  std::vector<double> times_us;
  MemoryRange increase;  ///< growth of the resident set over the phase: at its end, at its peak
  MemoryRange peak;      ///< resident set of the process: at the phase's end, at its peak (VmHWM)
};

struct LayerTime {
  LayerPlacement placement;
  std::optional<double> median_us;  ///< absent when nothing was measured on a device (emulator)
  std::optional<double> lowest_us;
};

struct ProfileOptions {
  SessionOptions session;
  int max_iterations = 100;
  /// For all runs together, those that warm up and those that time layers too; loads come on top. A run that would pass
  /// it is not begun, and one that passes it is stopped.
  std::chrono::milliseconds max_time{600'000};
  int warmup_iterations = 3;
  bool stop_when_stable = true;  ///< after 20 runs: the median's 95 % interval is within ±1 %
  bool measure_phases = true;    ///< false: statistics only (`bench`)
  bool profile_layers = true;
  std::uint64_t memory_bytes = 0;     ///< what this process and its children may hold; 0: no limit
  std::string inputs_advice;          ///< how to give inputs, for those whose model fails on random ones
  std::filesystem::path work_folder;  ///< traces and files of the phases; must exist
};

/// A phase that gave no result, or not all of it.
struct MissingPhase {
  std::string name;  ///< "layers"
  base::Error reason;
};

/// What was measured and where.
struct ProfileReport {
  std::string machine;  ///< the CPU's true name
  std::string provider;
  bool is_emulated = false;  ///< true: no time in here is a device's; times are empty
  std::string onnxruntime_version;
  PhaseMeasurement cold_load;  ///< fresh process, model file dropped from the page cache
  PhaseMeasurement warm_load;  ///< second load in a process that has loaded it before
  PhaseMeasurement inference;
  Statistics inference_statistics;
  bool inference_is_whole = false;  ///< false in a report so far, and when the phase is missing
  bool stable = false;              ///< ended because it was stable, not because of a limit
  PlacementReport placement;
  std::vector<LayerTime> layers;       ///< slowest first
  std::filesystem::path chrome_trace;  ///< empty without profile_layers
  std::vector<std::string> warnings;
  std::vector<MissingPhase> missing;  ///< empty: this is the whole. The rest stands whatever is missing

  [[nodiscard]] const MissingPhase* missing_phase(std::string_view name) const;
};

/// Progress for people: phase name, done, total (0: unknown). Called every second or more often, also with nothing new.
using Progress = std::function<void(std::string_view phase, std::int64_t done, std::int64_t total)>;

/// Takes the report as it stands, after each phase and every few seconds, for whoever must not lose it.
using Measured = std::function<void(const ProfileReport& so_far)>;

/// Profiles a model on random or given inputs. Phases run in child processes: this executable is started again with
/// `kPhaseCommand` as its first argument, so every main() that calls profile() must first call run_phase_if_asked().
/// What was measured is kept when a later phase fails: the report says what is missing.
/// @error nothing was measured: as Session::load; kDeadlineExceeded: not one run ended in time; kInternal: a phase's
///        process died (signal and last lines are named); kInvalidArgument: the inputs do not fit
[[nodiscard]] base::Result<ProfileReport> profile(const LibraryPaths& libraries, const std::filesystem::path& model,
                                                  const tensor::NamedTensors* inputs, const ProfileOptions& options,
                                                  const Progress& progress = {}, const Measured& measured = {});

/// First argument of the child processes of profile().
inline constexpr std::string_view kPhaseCommand = "__profile-phase";

/// Returns the exit status when the arguments ask for a phase, nothing otherwise. Call first in main().
[[nodiscard]] std::optional<int> run_phase_if_asked(int argc, char** argv);

/// The CPU's name as the machine gives it, e.g. "AMD EPYC 9V74"; with cores: "AMD EPYC 9V74, 2 threads".
[[nodiscard]] std::string machine_name();

}  // namespace slipway::runtime
