#pragma once

#include <span>
#include <string>
#include <string_view>

#include "hub/domain/types.hpp"

namespace slipway::hub::domain {

/// The state a job of a kind is in while an agent works on it: kOptimizingModel, kMeasuringPerformance …
[[nodiscard]] JobState running_state(JobKind kind, bool is_profiling);

/// The one table of legal transitions. Running states may fall back to kCreated when a lease is lost.
[[nodiscard]] bool may_follow(JobState from, JobState to);

/// Every state there is.
[[nodiscard]] std::span<const JobState> all_states();
[[nodiscard]] bool is_terminal(JobState state);
/// Whether a job in this state waits for an agent.
[[nodiscard]] bool is_queued(JobState state);
/// Whether an agent works on a job in this state: the states from which a job may be done.
[[nodiscard]] bool is_running(JobState state);
[[nodiscard]] std::string_view state_name(JobState state);  ///< "CREATED", "OPTIMIZING_MODEL" …
[[nodiscard]] std::string_view kind_name(JobKind kind);     ///< "compile" …
/// The outcome of a job that failed for this reason, before or without a process of its own.
[[nodiscard]] JobOutcome failure(FailureType type, std::string reason);
/// What nobody may overlook about the result of a job that is done; nothing for any other job.
[[nodiscard]] std::vector<std::string> warnings_of(const Job& job);
/// What a job's end is told in one text: the reason of its failure, or the warnings about its result; else nothing.
[[nodiscard]] std::string state_message(const Job& job);
[[nodiscard]] std::string_view failure_type_name(FailureType type);

}  // namespace slipway::hub::domain
