#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "hub/domain/execution_plan.hpp"

/// The rules that decide whether a job can be taken. Pure functions: the hub looks everything up first.
namespace slipway::hub::domain {

/// What becomes of a submission that is taken.
struct Verdict {
  FailureType fails_as = FailureType::kUnspecified;  ///< other than that: the job exists and has failed, for `reason`
  std::string reason;
  std::string needs;                 ///< Job::needs
  Device device;                     ///< the chosen one
  std::vector<std::string> remarks;  ///< for the job's log
};

/// Models and data that inspections found unusable.
/// @error kInvalidArgument, in words for the user
[[nodiscard]] base::Result<void> check_inputs(const JobFacts& facts);

/// @error kInvalidArgument: --qairt_version names one that no agent has
[[nodiscard]] base::Result<void> check_qairt_version(const JobFacts& facts);

/// Specs and data against what the inspection found in the model; an empty list of inputs checks nothing.
/// @error kInvalidArgument: input, expected and found are named
[[nodiscard]] base::Result<void> check_against_model(const Model& model, const InputSpecs& specs,
                                                     const std::optional<Dataset>& dataset, const JobOptions& options);

/// What of the QNN provider's settings is given: "--qnn_options context_priority, --qairt_version".
[[nodiscard]] std::string qnn_settings(const JobOptions& options);

}  // namespace slipway::hub::domain
