#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "hub/domain/job.hpp"

namespace slipway::hub::domain {

/// Which transitions are legal. Running states may fall back to kCreated when a lease is lost.
[[nodiscard]] bool may_follow(JobState from, JobState to);

/// Every state that a job can be in: waiting, the two ends, and those that the table of kinds names.
[[nodiscard]] std::span<const JobState> all_states();
/// The state that a row or a message names by its number; nothing when it is none that a job can be in.
[[nodiscard]] std::optional<JobState> state_of_number(std::int64_t number);
[[nodiscard]] bool is_terminal(JobState state);
/// Whether a job in this state waits for an agent.
[[nodiscard]] bool is_queued(JobState state);
/// Whether an agent works on a job in this state: the states that the table of kinds names, from which a job may be
/// done.
[[nodiscard]] bool is_running(JobState state);
[[nodiscard]] std::string_view state_name(JobState state);  ///< "CREATED", "OPTIMIZING_MODEL" …
/// What nobody may overlook about the result of a job that is done; nothing for any other job.
[[nodiscard]] std::vector<std::string> warnings_of(const Job& job);
/// What a job's end is told in one text: the reason of its failure, or the warnings about its result; else nothing.
[[nodiscard]] std::string state_message(const Job& job);
[[nodiscard]] std::string_view failure_type_name(FailureType type);

}  // namespace slipway::hub::domain
