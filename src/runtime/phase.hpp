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
  std::filesystem::path inputs;  ///< .npz; empty: random
  ProfileOptions options;
};

/// What the child found; travels back the same way.
struct PhaseOutcome {
  PhaseMeasurement measurement;
  bool stable = false;
  std::string onnxruntime_version;
  PlacementReport placement;
  std::vector<KernelTimes> kernels;  ///< layers phase; warm-up runs left out
  std::filesystem::path chrome_trace;
  std::vector<std::string> warnings;
};

[[nodiscard]] std::string to_json(const PhaseRequest& request);
[[nodiscard]] base::Result<PhaseRequest> phase_request_from_json(const std::string& text);
[[nodiscard]] std::string to_json(const base::Result<PhaseOutcome>& outcome);

/// @error whatever the child reported; kInternal: not an outcome
[[nodiscard]] base::Result<PhaseOutcome> phase_outcome_from_json(const std::string& text);

/// Files of the protocol in the work folder, and the descriptor that the child writes its progress to.
inline constexpr const char* kRequestFile = "phase-request.json";
inline constexpr const char* kOutcomeFile = "phase-outcome.json";
inline constexpr int kProgressDescriptor = 3;

/// Carries out one phase in this process.
[[nodiscard]] base::Result<PhaseOutcome> measure_phase(const PhaseRequest& request);

/// Runs one phase in a process of its own and waits for it.
/// @error the phase's own; kInternal: the process died (signal or status and its last lines are named);
///        kDeadlineExceeded: it ran far past the limit and was killed
[[nodiscard]] base::Result<PhaseOutcome> run_phase_process(const PhaseRequest& request,
                                                           const std::filesystem::path& work_folder,
                                                           const Progress& progress);

}  // namespace slipway::runtime
