#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "runtime/provider.hpp"
#include "runtime/session.hpp"

namespace slipway::runtime {

/// The word with which a provider is asked for that is measured instead of named; no row of provider_table().
inline constexpr std::string_view kAutomatic = "auto";

/// A way to run: a provider and the threads of one operator.
struct Candidate {
  std::string provider;
  int threads = 0;
  friend bool operator==(const Candidate&, const Candidate&) = default;
};

/// What one candidate did with the models, all of them.
struct CandidateMeasurement {
  Candidate candidate;
  std::optional<double> median_us;   ///< sum of the models' medians; nothing when it could not run them
  std::optional<double> difference;  ///< largest relative RMS of an output to the reference's
  std::string refusal;               ///< why it was not chosen; empty: it could have been
};

/// How the models were run on a candidate.
struct CandidateRun {
  double median_us = 0;
  tensor::NamedTensors outputs;
};
/// Runs one model on a candidate, on the same inputs for all of them.
using MeasureCandidate =
    std::function<base::Result<CandidateRun>(const std::filesystem::path& model, const Candidate& candidate)>;

struct AutomaticRequest {
  std::vector<std::filesystem::path> models;  ///< .onnx files that run together
  SessionOptions session;                     ///< all but provider and threads; threads other than 0 are kept
  std::filesystem::path cache_folder;         ///< where choices are kept
  std::string program_version;
  /// Tells a person what is being measured.
  std::function<void(const Candidate& candidate)> progress;
};

/// What was chosen, of what, and where that is written down.
struct AutomaticChoice {
  Candidate chosen;
  std::vector<CandidateMeasurement> candidates;
  double tolerance = 0;        ///< of a difference, see tolerance_of()
  std::string measured_at;     ///< when, in UTC
  std::filesystem::path file;  ///< where it is kept
  bool was_kept = false;       ///< of an earlier run
  std::string note;            ///< why a kept choice was not used, or this one is not kept; empty: nothing to say
};

/// What outputs may differ from the CPU provider's in float32, as relative RMS: 1e-3 in float32, 0.1 in bfloat16.
[[nodiscard]] double tolerance_of(Precision precision);

/// All ways that may be measured here for a request: of each provider that is no emulator and computes in the precision
/// asked for, with all threads, half of them, and one; only with the request's threads where it names some.
[[nodiscard]] std::vector<Candidate> candidates_for(const SessionOptions& session, int processors);

/// The fastest candidate whose outputs are within the tolerance of the CPU provider's: as kept for these models,
/// machine and versions, or measured now and kept. A kept choice that cannot be read is measured anew, and `note` says
/// so.
/// @error kInvalidArgument: no model; as of the CPU provider, which is the reference, when that cannot run them;
///        kFailedPrecondition: no candidate is within the tolerance (each one's reason is named)
[[nodiscard]] base::Result<AutomaticChoice> choose_provider(const AutomaticRequest& request,
                                                            const MeasureCandidate& measure);

/// Runs a candidate in a process of its own, which opens the build of ONNX Runtime that it needs. The program must call
/// run_phase_if_asked(), as for profile().
[[nodiscard]] MeasureCandidate measure_in_process(const AutomaticRequest& request, std::filesystem::path work_folder);

/// $XDG_CACHE_HOME/slipway/providers, or ~/.cache/slipway/providers; empty without a home.
[[nodiscard]] std::filesystem::path default_choice_folder();

}  // namespace slipway::runtime
