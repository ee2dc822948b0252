#pragma once

#include <filesystem>
#include <string>

#include "hub/executor/execute.hpp"

namespace slipway::hub::executor {

/// What every kind of job is given.
struct JobContext {
  const domain::JobSpec& spec;
  std::filesystem::path folder;
  const Tools& tools;
  const Log& log;

  [[nodiscard]] std::filesystem::path in(const std::string& name) const { return folder / "in" / name; }
  [[nodiscard]] std::filesystem::path work() const { return folder / "work"; }
  [[nodiscard]] std::filesystem::path out() const { return folder / "out"; }
};

/// A failure with its type for the client. Converts from an Error by the table in failure.cpp.
struct Failure {
  domain::FailureType type = domain::FailureType::kRuntimeUnknown;
  std::string reason;
};

/// What is being done when an error appears decides what the error means.
enum class Step { kReadModel, kReadData, kCompile, kLoad, kRun, kWrite };
[[nodiscard]] Failure failure_of(const base::Error& error, Step step);

/// Marks an outcome as failed.
void fail_with(domain::JobOutcome& outcome, Failure failure);

// One function for each kind of job; each fills the outcome and says whether it succeeded.
void run_inspection(const JobContext& job, domain::JobOutcome& outcome);
void run_compile(const JobContext& job, domain::JobOutcome& outcome);
void run_inference(const JobContext& job, domain::JobOutcome& outcome);

}  // namespace slipway::hub::executor
