#include "hub/executor/execute.hpp"

#include <exception>
#include <new>
#include <optional>

#include "hub/domain/job_state.hpp"
#include "hub/executor/internal/job.hpp"
#include "hub/executor/kinds/inspect/inspect.hpp"

namespace slipway::hub::executor {
namespace {

using base::Code;
using domain::FailureType;
using domain::JobKind;
using domain::JobOutcome;

void dispatch(const JobContext& job, JobOutcome& outcome) {
  switch (job.spec.job.kind) {
    case JobKind::kInspect:
      return run_inspection(job, outcome);
    case JobKind::kCompile:
      return run_compile(job, outcome);
    case JobKind::kProfile:
    case JobKind::kInference:
      return run_inference(job, outcome);
    case JobKind::kQuantize:
    case JobKind::kLink:
      break;
  }
  fail_with(outcome, {FailureType::kUnsupported,
                      fmt::format("this agent does not carry out {} jobs", domain::kind_name(job.spec.job.kind))});
}

}  // namespace

Failure failure_of(const base::Error& error, Step step) {
  const auto by_reason = [&]() -> std::optional<FailureType> {
    switch (error.reason) {
      case base::Reason::kOutOfDisk:
        return FailureType::kOutOfDisk;
      case base::Reason::kOutOfMemory:
        return FailureType::kOutOfMemory;
      case base::Reason::kReadOnly:
        return FailureType::kInternal;          // the agent's folder, not the job
      case base::Reason::kUnsupportedOperator:  // by whom it is refused decides the code
      case base::Reason::kNone:
        break;
    }
    return std::nullopt;
  };
  const auto by_code = [&]() -> FailureType {
    switch (error.code) {
      case Code::kDeadlineExceeded:
        return FailureType::kTimeout;
      case Code::kUnimplemented:
        return step == Step::kCompile ? FailureType::kQnnToolError : FailureType::kUnsupported;
      case Code::kInvalidArgument:
      case Code::kNotFound:
      case Code::kResourceExhausted:  // a limit of ours, such as that of one sample
        if (step == Step::kReadData) return FailureType::kInvalidInputs;
        return step == Step::kReadModel ? FailureType::kModelCorrupt : FailureType::kModelInvalid;
      case Code::kFailedPrecondition:
        return FailureType::kUnsupported;
      case Code::kUnavailable:
        return FailureType::kInternal;
      default:
        return step == Step::kCompile ? FailureType::kQnnToolError : FailureType::kRuntimeUnknown;
    }
  };
  const auto type = by_reason();
  return {type ? *type : by_code(), error.message};
}

void fail_with(JobOutcome& outcome, Failure failure) {
  outcome.succeeded = false;
  outcome.failure_type = failure.type;
  outcome.failure_reason = std::move(failure.reason);
}

void run_inspection(const JobContext& job, JobOutcome& outcome) {
  const auto& spec = job.spec;
  if (spec.subject_is_dataset) {
    outcome.inspection = inspect_dataset(job.in(spec.dataset_file));
  } else {
    outcome.inspection = inspect_model(job.in(spec.model_file), spec.model.type, job.work());
  }
  job.log(outcome.inspection->error.empty() ? fmt::format("found: {}", outcome.inspection->format)
                                            : fmt::format("cannot be used: {}", outcome.inspection->error));
  outcome.succeeded = true;  // the finding is the result, a bad one too
}

JobOutcome execute(const domain::JobSpec& spec, const std::filesystem::path& folder, const Tools& tools,
                   const Log& log) {
  JobOutcome outcome;
  outcome.tool_versions.emplace_back("Slipway", tools.slipway_version);
  const JobContext job{spec, folder, tools, log};
  // The last resort: the libraries below report by Result, and what still escapes must end the job in words.
  try {
    dispatch(job, outcome);
  } catch (const std::bad_alloc&) {
    fail_with(outcome, {FailureType::kOutOfMemory, "the job ran out of memory"});
  } catch (const std::exception& error) {
    fail_with(outcome, {FailureType::kInternal, error.what()});
  }
  if (!outcome.succeeded) log(fmt::format("failed: {}", outcome.failure_reason));
  return outcome;
}

}  // namespace slipway::hub::executor
