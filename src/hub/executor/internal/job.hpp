#pragma once

#include <expected>
#include <filesystem>
#include <string>

#include "hub/executor/execute.hpp"

namespace slipway::hub::executor {

/// A failure with its type for the client. Converts from an Error by the tables of failure_of() in execute.cpp.
struct Failure {
  domain::FailureType type = domain::FailureType::kRuntimeUnknown;
  std::string reason;
};

/// What every kind of job is given.
struct JobContext {
  const domain::JobSpec& spec;
  std::filesystem::path folder;
  const Tools& tools;
  const Log& log;

  /// The model of a job that takes one.
  [[nodiscard]] const domain::JobSpec::InputModel& model() const { return spec.models.front(); }
  /// What is to run where; of a job that users submit.
  [[nodiscard]] const domain::ExecutionPlan& plan() const { return *spec.plan; }
  [[nodiscard]] std::filesystem::path in(const std::string& name) const { return folder / "in" / name; }
  /// A companion of the model: the wrapper of a context binary, the source of a DLC. The plan asks for none that the
  /// hub did not send.
  [[nodiscard]] std::expected<std::filesystem::path, Failure> companion(const std::string& name) const;
  [[nodiscard]] std::filesystem::path work() const { return folder / "work"; }
  [[nodiscard]] std::filesystem::path out() const { return folder / "out"; }
};

/// What is being done when an error appears decides what the error means. Compiling is what Qualcomm's tools do: what
/// becomes of a target for the CPU fails when it is loaded.
enum class Step { kReadModel, kReadData, kCompile, kLoad, kRun, kWrite };
[[nodiscard]] Failure failure_of(const base::Error& error, Step step);

/// Marks an outcome as failed.
void fail_with(domain::JobOutcome& outcome, Failure failure);

/// Names a kind of jobs to the function that executes it. Each kind defines its own in kinds/NAME/; one that is
/// missing does not link.
template <typename Kind>
struct KindExecutor {
#ifndef __clang__
// It is a function of its own for each kind, which is what the warning is about.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-template-friend"
#endif
  /// Fills the outcome and the result, and says whether it succeeded. Obeys the plan of the spec.
  /// @pre the spec has as many models as the kind takes, and a plan if users submit it
  friend void execute_kind(KindExecutor, const JobContext& job, const Kind& payload, domain::JobOutcome& outcome,
                           typename Kind::Result& result);
#ifndef __clang__
#pragma GCC diagnostic pop
#endif
};

}  // namespace slipway::hub::executor
