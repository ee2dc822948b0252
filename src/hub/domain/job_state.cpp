#include "hub/domain/job_state.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/ranges.h>

namespace slipway::hub::domain {
namespace {

constexpr std::array kStates = {JobState::kCreated,
                                JobState::kDone,
                                JobState::kFailed,
                                JobState::kOptimizingModel,
                                JobState::kProvisioningDevice,
                                JobState::kMeasuringPerformance,
                                JobState::kRunningInference,
                                JobState::kQuantizingModel,
                                JobState::kLinkingModels};

struct Transition {
  JobState from, to;
};

// A running state falls back to kCreated when its lease is lost. kCreated ends in kFailed when a producer failed, when
// the attempts are used up, or when what was known at submission already rules the job out.
constexpr std::array kTransitions = {
    Transition{JobState::kCreated, JobState::kOptimizingModel},
    Transition{JobState::kCreated, JobState::kMeasuringPerformance},
    Transition{JobState::kCreated, JobState::kRunningInference},
    Transition{JobState::kCreated, JobState::kQuantizingModel},
    Transition{JobState::kCreated, JobState::kLinkingModels},
    Transition{JobState::kCreated, JobState::kFailed},
    Transition{JobState::kOptimizingModel, JobState::kCreated},
    Transition{JobState::kOptimizingModel, JobState::kDone},
    Transition{JobState::kOptimizingModel, JobState::kFailed},
    Transition{JobState::kMeasuringPerformance, JobState::kCreated},
    Transition{JobState::kMeasuringPerformance, JobState::kDone},
    Transition{JobState::kMeasuringPerformance, JobState::kFailed},
    Transition{JobState::kRunningInference, JobState::kCreated},
    Transition{JobState::kRunningInference, JobState::kDone},
    Transition{JobState::kRunningInference, JobState::kFailed},
    Transition{JobState::kQuantizingModel, JobState::kCreated},
    Transition{JobState::kQuantizingModel, JobState::kDone},
    Transition{JobState::kQuantizingModel, JobState::kFailed},
    Transition{JobState::kLinkingModels, JobState::kCreated},
    Transition{JobState::kLinkingModels, JobState::kDone},
    Transition{JobState::kLinkingModels, JobState::kFailed},
};

}  // namespace

JobState running_state(JobKind kind, bool is_profiling) {
  switch (kind) {
    case JobKind::kProfile:
    case JobKind::kInference:
      return is_profiling ? JobState::kMeasuringPerformance : JobState::kRunningInference;
    case JobKind::kQuantize:
      return JobState::kQuantizingModel;
    case JobKind::kLink:
      return JobState::kLinkingModels;
    case JobKind::kCompile:
    case JobKind::kInspect:
      return JobState::kOptimizingModel;
  }
  return JobState::kOptimizingModel;
}

bool may_follow(JobState from, JobState to) {
  return std::ranges::any_of(kTransitions, [&](const Transition& row) { return row.from == from && row.to == to; });
}

std::vector<std::string> warnings_of(const Job& job) {
  return job.state == JobState::kDone && job.outcome ? job.outcome->warnings : std::vector<std::string>();
}

std::string state_message(const Job& job) {
  if (job.state == JobState::kFailed && job.outcome) return job.outcome->failure_reason;
  return fmt::format("{}", fmt::join(warnings_of(job), " "));
}

JobOutcome failure(FailureType type, std::string reason) {
  JobOutcome outcome;
  outcome.failure_type = type;
  outcome.failure_reason = std::move(reason);
  return outcome;
}

std::span<const JobState> all_states() {
  return kStates;
}

bool is_terminal(JobState state) {
  return state == JobState::kDone || state == JobState::kFailed;
}

bool is_queued(JobState state) {
  return state == JobState::kCreated;
}

bool is_running(JobState state) {
  return may_follow(state, JobState::kDone);
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
    case JobState::kProvisioningDevice:
      return "PROVISIONING_DEVICE";
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

std::string_view kind_name(JobKind kind) {
  switch (kind) {
    case JobKind::kProfile:
      return "profile";
    case JobKind::kInference:
      return "inference";
    case JobKind::kCompile:
      return "compile";
    case JobKind::kQuantize:
      return "quantize";
    case JobKind::kLink:
      return "link";
    case JobKind::kInspect:
      return "inspect";
  }
  return "unknown";
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
