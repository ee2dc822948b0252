#pragma once

#include <nlohmann/json_fwd.hpp>

#include "hub/protocol/internal/kind_codec.hpp"

/// What profile and inference jobs have in common on the wire. Both answer in the inference arm, as today's client
/// wants, unless they came in the older profile arm.
namespace slipway::hub::protocol::internal {

void fill_run(const JobView& view, const domain::kinds::Run& payload, api::Job& message);
void fill_run_summary(const JobView& view, const domain::kinds::Run& payload, api::JobSummary& message);
void fill_run_result(const JobView& view, const domain::kinds::Run& payload, const domain::kinds::RunResult& result,
                     api::JobResult& message);
void report_run_result(const domain::kinds::RunResult& result, nlohmann::ordered_json& report);

/// The run in an inference or a profile arm.
template <typename Kind, typename Arm>
[[nodiscard]] domain::Submission run_of(const Arm& arm, bool is_profiling) {
  Kind run;
  run.model_id = arm.model().model_id();
  run.dataset_id = arm.dataset().dataset_id();
  run.is_profiling = is_profiling;
  domain::Submission submission = submission_of(arm, std::move(run));
  if (arm.has_device()) submission.devices.push_back(device_of(arm.device()));
  return submission;
}

}  // namespace slipway::hub::protocol::internal
