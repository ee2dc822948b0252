#include "hub/executor/execute.hpp"

#include <exception>
#include <new>
#include <optional>
#include <variant>

#include "hub/domain/job_state.hpp"
#include "hub/executor/internal/job.hpp"
#include "hub/executor/kinds/inspect/inspect.hpp"

namespace slipway::hub::executor {
namespace {

using base::Code;
using domain::FailureType;
using domain::JobOutcome;

// What a spec must hold to be executed at all; only a spec of another release or of no hub lacks it.
bool is_whole(const domain::JobSpec& spec) {
  const domain::KindEntry& kind = domain::entry_of(spec.job.payload);
  return spec.models.size() >= kind.fewest_models && spec.models.size() <= kind.most_models &&
         spec.plan.has_value() == kind.is_submitted;
}

void dispatch(const JobContext& job, JobOutcome& outcome) {
  if (!is_whole(job.spec)) return fail_with(outcome, {FailureType::kInternal, "spec.json holds no plan, or no models"});
  std::visit(
      [&]<typename Kind>(const Kind& payload) {
        auto& result = outcome.result.emplace<typename Kind::Result>();
        execute_kind(KindExecutor<Kind>{}, job, payload, outcome, result);
      },
      job.spec.job.payload);
}

}  // namespace

std::expected<std::filesystem::path, Failure> JobContext::companion(const std::string& name) const {
  const auto found = model().companion_files.find(name);
  if (found != model().companion_files.end()) return in(found->second);
  return std::unexpected(Failure{FailureType::kInternal,
                                 fmt::format("spec.json plans with the model's {}, but names no such file", name)});
}

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
