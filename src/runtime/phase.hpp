#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "runtime/profiling.hpp"
#include "runtime/trace.hpp"

namespace slipway::runtime {

enum class Phase { kColdLoad, kWarmLoad, kInference, kLayers };
[[nodiscard]] std::string_view phase_name(Phase phase);  ///< "cold load", "warm load" …

/// What profile() asks of one child process; travels as JSON in a file of the work folder.
struct PhaseRequest {
  Phase phase = Phase::kInference;
  LibraryPaths libraries;
  std::filesystem::path model;
  std::filesystem::path inputs;      ///< .npz; empty: random
  std::filesystem::path outputs;     ///< inference phase: .npz that takes those of the last run; empty: none
  std::uint64_t resident_bytes = 0;  ///< layers phase: what its process may grow to; 0: no limit
  ProfileOptions options;
};

/// What the child found; travels back the same way.
struct PhaseOutcome {
  PhaseMeasurement measurement;
  double runs_us = 0;  ///< all runs together, also those that were stopped
  bool stable = false;
  std::string onnxruntime_version;
  PlacementReport placement;
  std::vector<KernelTimes> kernels;  ///< layers phase; warm-up runs left out
  std::filesystem::path chrome_trace;
  std::vector<std::string> warnings;
  std::optional<base::Error> stopped;  ///< why the layers were not timed; their placement stands
};

[[nodiscard]] std::string to_json(const PhaseRequest& request);
[[nodiscard]] base::Result<PhaseRequest> phase_request_from_json(const std::string& text);
[[nodiscard]] std::string to_json(const base::Result<PhaseOutcome>& outcome);

/// @error whatever the child reported; kInternal: not an outcome
[[nodiscard]] base::Result<PhaseOutcome> phase_outcome_from_json(const std::string& text);

/// Files of the protocol in the work folder, and the descriptor that the child writes its progress to: from time to
/// time a line "done total", followed by the times in microseconds since the last one. The first line says that the
/// model is loaded.
inline constexpr const char* kRequestFile = "phase-request.json";
inline constexpr const char* kOutcomeFile = "phase-outcome.json";
inline constexpr int kProgressDescriptor = 3;

/// Executes one phase in this process.
[[nodiscard]] base::Result<PhaseOutcome> measure_phase(const PhaseRequest& request);

/// How far a phase is: runs done, of how many (0: unknown), and the times of those done.
using PhaseProgress = std::function<void(std::int64_t done, std::int64_t total, const std::vector<double>& times_us)>;

/// Runs one phase in a process of its own and waits for it.
/// @param progress  called every second or more often
/// @error the phase's own; kInternal: the process died (signal or status and its last lines are named);
///        kDeadlineExceeded: it ran far past the limit and was killed
[[nodiscard]] base::Result<PhaseOutcome> run_phase_process(const PhaseRequest& request,
                                                           const std::filesystem::path& work_folder,
                                                           const PhaseProgress& progress);

}  // namespace slipway::runtime
