#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "hub/domain/job_state.hpp"
#include "hub/protocol/internal/wire.hpp"
#include "hub/protocol/jobs.hpp"

/// How a kind of job goes over the wire. jobs.cpp asks the functions below of each kind that users submit; a kind
/// defines its own in kinds/NAME/, and one that is missing does not link. The rest of this file is what kinds share.
namespace slipway::hub::protocol::internal {

/// Names a kind to the functions that are declared here for it.
template <typename Kind>
struct KindCodec {
#ifndef __clang__
// They are functions of their own for each kind, which is what the warning is about.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-template-friend"
#endif
  /// The submission in a message; nothing when the message is of another kind.
  friend std::optional<base::Result<domain::Submission>> decode_submission_of(KindCodec, const api::Job& message);
  /// Sets the kind's arm of the message, but for what is beside the arms.
  friend void fill_job_of(KindCodec, const JobView& view, const Kind& payload, api::Job& message);
  friend void fill_summary_of(KindCodec, const JobView& view, const Kind& payload, api::JobSummary& message);
  /// The result of a job that ended well.
  friend void fill_result_of(KindCodec, const JobView& view, const Kind& payload, const typename Kind::Result& result,
                             api::JobResult& message);
  /// What the page shows of a result.
  friend void report_result_of(KindCodec, const typename Kind::Result& result, nlohmann::ordered_json& report);
#ifndef __clang__
#pragma GCC diagnostic pop
#endif
};

/// The fields that every arm has under the same name.
template <typename Arm>
void fill_common(const JobView& view, Arm& arm) {
  const domain::Job& job = view.job;
  fill_user(view.owner, *arm.mutable_user());
  arm.set_user_id(user_number(view.owner));
  arm.set_name(wire_text(job.name));
  arm.set_options(wire_text(job.options));
  arm.set_job_state(static_cast<api::JobState>(job.state));
  fill_time(job.created, *arm.mutable_creation_time());
  fill_time(job.created, *arm.mutable_queued_time());
  if (job.started) fill_time(*job.started, *arm.mutable_start_time());
  if (job.completed) fill_time(*job.completed, *arm.mutable_completion_time());
  fill_time(job.updated, *arm.mutable_last_updated_time());
  if (!job.project_id.empty()) arm.set_project_id(wire_text(job.project_id));
  // The client shows it as the message of the job's status, whatever the state.
  if (const std::string message = domain::state_message(job); !message.empty()) {
    arm.set_failure_reason(wire_text(message));
  }
}

template <typename Arm>
void fill_error_details(const domain::Job& job, Arm& arm) {
  if (job.state == domain::JobState::kFailed && job.outcome && !job.outcome->error_details.empty()) {
    arm.set_error_details(wire_text(job.outcome->error_details));
  }
}

/// The model that a job takes, by its id alone where nothing more is known.
inline void fill_input_model(const JobView& view, const std::string& id, api::Model& message) {
  const auto known = std::ranges::find(view.models, id, &domain::Model::id);
  if (known != view.models.end()) {
    fill_model(*known, view.owner, message);
  } else {
    message.set_model_id(wire_text(id));
  }
}

inline void fill_input_data(const JobView& view, const std::string& id, api::Dataset& message) {
  if (view.dataset) {
    fill_dataset(*view.dataset, view.owner, message);
  } else {
    message.set_dataset_id(wire_text(id));
  }
}

template <typename Summary>
void fill_summary(const JobView& view, Summary& summary) {
  const domain::Job& job = view.job;
  summary.set_job_id(wire_text(job.id));
  fill_user(view.owner, *summary.mutable_user());
  summary.set_name(wire_text(job.name));
  summary.set_job_state(static_cast<api::JobState>(job.state));
  if constexpr (requires { summary.set_device_name(job.device->name); }) {
    if (job.device) {
      summary.set_device_name(wire_text(job.device->name));
      summary.set_device_os_version(wire_text(job.device->os));
    }
  }
  fill_time(job.created, *summary.mutable_creation_time());
  fill_time(job.created, *summary.mutable_queued_time());
  if (job.started) fill_time(*job.started, *summary.mutable_start_time());
  if (job.completed) fill_time(*job.completed, *summary.mutable_completion_time());
  fill_time(job.updated, *summary.mutable_last_updated_time());
  if (!job.project_id.empty()) summary.set_project_id(wire_text(job.project_id));
  if (view.target) summary.set_target_model_type(static_cast<api::ModelType>(view.target->type));
}

template <typename Arm>
domain::Submission submission_of(const Arm& arm, domain::JobPayload payload) {
  return {.payload = std::move(payload),
          .name = arm.name(),
          .options = arm.options(),
          .project_id = arm.project_id(),
          .devices = {}};
}

}  // namespace slipway::hub::protocol::internal
