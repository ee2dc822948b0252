#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "hub/domain/options.hpp"
#include "hub/domain/types.hpp"

/// The rules that decide whether a job can be taken. Pure functions: the hub looks everything up first.
namespace slipway::hub::domain {

/// What is known about a submission once its ids are looked up.
struct SubmissionFacts {
  JobKind kind = JobKind::kCompile;
  bool is_profiling = false;
  JobOptions options;
  Model model;
  std::optional<Job> producer;  ///< the compile job that makes the model, if one does
  std::optional<Dataset> dataset;
  InputSpecs input_specs;
  std::vector<Device> devices;        ///< as the hub knows them
  std::vector<Framework> frameworks;  ///< of the agents that are there
};

/// What becomes of a submission that is taken.
struct Verdict {
  FailureType fails_as = FailureType::kUnspecified;  ///< other than that: the job exists and has failed, for `reason`
  std::string reason;
  std::string needs;                 ///< Job::needs
  Device device;                     ///< the chosen one
  std::vector<std::string> remarks;  ///< for the job's log
};

/// @error kInvalidArgument, kFailedPrecondition, kUnimplemented: the submission is refused, in words
[[nodiscard]] base::Result<Verdict> judge(const SubmissionFacts& facts);

/// Specs and data against what the inspection found in the model; an empty list of inputs checks nothing. Run at
/// submission and, for models that did not exist then, when the job is about to start.
/// @error kInvalidArgument: input, expected and found are named
[[nodiscard]] base::Result<void> check_against_model(const Model& model, const InputSpecs& specs,
                                                     const std::optional<Dataset>& dataset, const JobOptions& options);

/// The target of a compile job; "onnx" when its options name none.
[[nodiscard]] std::string target_of(const JobOptions& options);
[[nodiscard]] ModelType target_type(std::string_view target_runtime);

}  // namespace slipway::hub::domain
