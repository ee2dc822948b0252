#include "hub/domain/job_state.hpp"

#include <algorithm>

#include <fmt/ranges.h>

#include "hub/domain/job.hpp"

namespace slipway::hub::domain {
namespace {

std::vector<JobState> states_of_table() {
  std::vector<JobState> states = {JobState::kCreated, JobState::kDone, JobState::kFailed};
  for (const KindEntry& kind : JobKinds::kEntries) {
    for (const JobState running : kind.running) {
      if (std::ranges::find(states, running) == states.end()) states.push_back(running);
    }
  }
  return states;
}

}  // namespace
bool is_running(JobState state) {
  return std::ranges::any_of(JobKinds::kEntries, [&](const KindEntry& kind) {
    return std::ranges::find(kind.running, state) != kind.running.end();
  });
}

bool may_follow(JobState from, JobState to) {
  // A queued job fails when a producer failed, when its attempts are used up, or when what was known at submission
  // rules it out already. A running one falls back when its lease is lost.
  if (from == JobState::kCreated) return is_running(to) || to == JobState::kFailed;
  return is_running(from) && (to == JobState::kCreated || is_terminal(to));
}

std::vector<std::string> warnings_of(const Job& job) {
  return job.state == JobState::kDone && job.outcome ? job.outcome->warnings : std::vector<std::string>();
}

std::string state_message(const Job& job) {
  if (job.state == JobState::kFailed && job.outcome) return job.outcome->failure_reason;
  return fmt::format("{}", fmt::join(warnings_of(job), " "));
}

std::span<const JobState> all_states() {
  static const std::vector<JobState> kStates = states_of_table();
  return kStates;
}

std::optional<JobState> state_of_number(std::int64_t number) {
  const auto states = all_states();
  const auto found = std::ranges::find(states, number, [](JobState state) { return static_cast<std::int64_t>(state); });
  return found == states.end() ? std::nullopt : std::optional(*found);
}

bool is_terminal(JobState state) {
  return state == JobState::kDone || state == JobState::kFailed;
}

bool is_queued(JobState state) {
  return state == JobState::kCreated;
}

std::string_view state_name(JobState state) {
  switch (state) {
    case JobState::kCreated:
      return "CREATED";
    case JobState::kDone:
      return "DONE";
    case JobState::kFailed:
      return "FAILED";
    case JobState::kOptimizingModel:
      return "OPTIMIZING_MODEL";
    case JobState::kMeasuringPerformance:
      return "MEASURING_PERFORMANCE";
    case JobState::kRunningInference:
      return "RUNNING_INFERENCE";
    case JobState::kQuantizingModel:
      return "QUANTIZING_MODEL";
    case JobState::kLinkingModels:
      return "LINKING_MODELS";
  }
  return "UNSPECIFIED";
}

std::string_view failure_type_name(FailureType type) {
  switch (type) {
    case FailureType::kUnspecified:
      return "UNSPECIFIED";
    case FailureType::kUnsupported:
      return "UNSUPPORTED";
    case FailureType::kInternal:
      return "INTERNAL_UNKNOWN";
    case FailureType::kRuntimeUnknown:
      return "RUNTIME_UNKNOWN";
    case FailureType::kRuntimeCrash:
      return "RUNTIME_CRASH";
    case FailureType::kOutOfDisk:
      return "RUNTIME_OUT_OF_DISK";
    case FailureType::kFailedDependency:
      return "RUNTIME_FAILED_DEPENDENCY";
    case FailureType::kOutOfMemory:
      return "RUNTIME_OUT_OF_MEMORY";
    case FailureType::kQnnToolError:
      return "QNN_TOOL_ERROR";
    case FailureType::kTimeout:
      return "RUNTIME_TIMEOUT";
    case FailureType::kInvalidInputs:
      return "INVALID_INPUTS";
    case FailureType::kInvalidArgument:
      return "INVALID_ARGUMENT";
    case FailureType::kModelCorrupt:
      return "MODEL_CORRUPT";
    case FailureType::kModelInvalid:
      return "MODEL_INVALID";
  }
  return "UNSPECIFIED";
}

}  // namespace slipway::hub::domain
