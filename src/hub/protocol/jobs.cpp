#include "hub/protocol/jobs.hpp"

#include <algorithm>
#include <set>

#include "hub/domain/job_state.hpp"
#include "hub/protocol/internal/profile.hpp"
#include "hub/protocol/internal/wire.hpp"

namespace slipway::hub::protocol {
namespace {

namespace api = internal::api;
using domain::JobKind;

/// The fields that every arm has under the same name.
template <typename Arm>
void fill_common(const JobView& view, Arm& arm) {
  const domain::Job& job = view.job;
  internal::fill_user(view.owner, *arm.mutable_user());
  arm.set_user_id(internal::user_number(view.owner));
  arm.set_name(wire_text(job.name));
  arm.set_options(wire_text(job.options));
  arm.set_job_state(static_cast<api::JobState>(job.state));
  internal::fill_time(job.created, *arm.mutable_creation_time());
  internal::fill_time(job.created, *arm.mutable_queued_time());
  if (job.started) internal::fill_time(*job.started, *arm.mutable_start_time());
  if (job.completed) internal::fill_time(*job.completed, *arm.mutable_completion_time());
  internal::fill_time(job.updated, *arm.mutable_last_updated_time());
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

void fill_input_model(const JobView& view, api::Model& message) {
  if (view.model) {
    internal::fill_model(*view.model, view.owner, message);
  } else {
    message.set_model_id(wire_text(view.job.model_id));
  }
}

void fill_input_data(const JobView& view, api::Dataset& message) {
  if (view.dataset) {
    internal::fill_dataset(*view.dataset, view.owner, message);
  } else {
    message.set_dataset_id(wire_text(view.job.dataset_id));
  }
}

void fill_compile(const JobView& view, api::CompileJob& arm) {
  fill_common(view, arm);
  fill_error_details(view.job, arm);
  arm.set_compile_job_id(wire_text(view.job.id));
  fill_input_model(view, *arm.mutable_model());
  if (view.job.device) internal::fill_device(*view.job.device, *arm.mutable_device());
  for (const domain::Device& device : view.job.devices) {
    internal::fill_device(device, *arm.mutable_devices()->add_devices());
  }
  internal::fill_specs(view.job.input_specs, *arm.mutable_tensor_type_list());
  if (view.target) internal::fill_model(*view.target, view.owner, *arm.mutable_target_model());
  if (view.job.outcome) {
    internal::fill_tensors(view.job.outcome->target_inputs, *arm.mutable_target_tensor_type_list());
  }
  if (!view.job.dataset_id.empty()) fill_input_data(view, *arm.mutable_calibration_dataset());
}

/// Inference and profile arms: the older one lacks is_profiling_on.
template <typename Arm>
void fill_run(const JobView& view, Arm& arm) {
  fill_common(view, arm);
  fill_error_details(view.job, arm);
  fill_input_model(view, *arm.mutable_model());
  if (view.job.device) internal::fill_device(*view.job.device, *arm.mutable_device());
  if (!view.job.dataset_id.empty()) fill_input_data(view, *arm.mutable_dataset());
  if (const auto time = internal::measured_time_us(view.job)) arm.set_execution_time(*time);
  if (const auto peak = internal::measured_peak(view.job)) {
    arm.mutable_execution_peak_memory()->set_lower(peak->lower_bytes);
    arm.mutable_execution_peak_memory()->set_upper(peak->upper_bytes);
  }
  if (view.model && view.model->inspection) {
    internal::fill_tensors(view.model->inspection->inputs, *arm.mutable_tensor_type_list());
  }
}

void fill_notices(const domain::Job& job, api::Job& message) {
  for (const std::string& warning : domain::warnings_of(job)) {
    api::Notice& notice = *message.add_notices();
    notice.set_context(api::Notice::MODEL);
    notice.set_severity(api::Notice::WARNING);
    notice.set_message(wire_text(warning));
  }
  for (const std::string& remark : internal::remarks_of(job)) {
    api::Notice& notice = *message.add_notices();
    notice.set_context(job.outcome->profile ? api::Notice::DEVICE : api::Notice::MODEL);
    notice.set_severity(internal::is_emulated(job) ? api::Notice::WARNING : api::Notice::INFO);
    notice.set_message(wire_text(remark));
  }
}

void fill_job(const JobView& view, api::Job& message) {
  const domain::Job& job = view.job;
  switch (job.kind) {
    case JobKind::kCompile:
      fill_compile(view, *message.mutable_compile_job());
      break;
    case JobKind::kProfile:
    case JobKind::kInference:
      if (job.answer_as_profile_job) {
        fill_run(view, *message.mutable_profile_job());
        message.mutable_profile_job()->set_profile_job_id(wire_text(job.id));
      } else {
        fill_run(view, *message.mutable_inference_job());
        message.mutable_inference_job()->set_inference_job_id(wire_text(job.id));
        message.mutable_inference_job()->set_is_profiling_on(job.is_profiling);
      }
      break;
    case JobKind::kQuantize:
    case JobKind::kLink:
    case JobKind::kInspect:
      break;  // not offered to clients yet
  }
  message.set_hub_version(wire_text(view.hub_version));
  if (job.outcome) {
    message.set_failure_type(job.state == domain::JobState::kDone
                                 ? api::JOB_FAILURE_TYPE_SUCCESS
                                 : static_cast<api::JobFailureType>(job.outcome->failure_type));
  }
  fill_notices(job, message);
  std::set<int> types;
  for (const domain::Artifact& artifact : job.artifacts) types.insert(static_cast<int>(artifact.type));
  for (const int type : types) message.add_available_artifacts(static_cast<api::JobArtifactType>(type));
  message.mutable_actor_authorization()->add_permissions(api::JOB_CAN_VIEW);
  message.mutable_actor_authorization()->add_permissions(api::JOB_CAN_UPDATE);
}

template <typename Summary>
void fill_summary(const JobView& view, Summary& summary) {
  const domain::Job& job = view.job;
  summary.set_job_id(wire_text(job.id));
  internal::fill_user(view.owner, *summary.mutable_user());
  summary.set_name(wire_text(job.name));
  summary.set_job_state(static_cast<api::JobState>(job.state));
  if (job.device) {
    summary.set_device_name(wire_text(job.device->name));
    summary.set_device_os_version(wire_text(job.device->os));
  }
  internal::fill_time(job.created, *summary.mutable_creation_time());
  internal::fill_time(job.created, *summary.mutable_queued_time());
  if (job.started) internal::fill_time(*job.started, *summary.mutable_start_time());
  if (job.completed) internal::fill_time(*job.completed, *summary.mutable_completion_time());
  internal::fill_time(job.updated, *summary.mutable_last_updated_time());
  if (!job.project_id.empty()) summary.set_project_id(wire_text(job.project_id));
  if (view.target) summary.set_target_model_type(static_cast<api::ModelType>(view.target->type));
}

template <typename Summary>
void fill_run_summary(const JobView& view, Summary& summary) {
  fill_summary(view, summary);
  if (const auto time = internal::measured_time_us(view.job)) summary.set_execution_time(*time);
  if (const auto peak = internal::measured_peak(view.job)) {
    summary.mutable_execution_peak_memory()->set_lower(peak->lower_bytes);
    summary.mutable_execution_peak_memory()->set_upper(peak->upper_bytes);
  }
}

template <typename Arm>
void take_common(const Arm& arm, domain::Submission& submission) {
  submission.name = arm.name();
  submission.options = arm.options();
  submission.project_id = arm.project_id();
}

}  // namespace

std::string encode_job(const JobView& view) {
  api::Job message;
  fill_job(view, message);
  return message.SerializeAsString();
}

std::string encode_jobs(const std::vector<JobView>& views, std::uint64_t total) {
  api::JobList list;
  for (const JobView& view : views) fill_job(view, *list.add_jobs());
  list.set_total_query_count(total);
  return list.SerializeAsString();
}

std::string encode_job_summaries(const std::vector<JobView>& views, std::uint64_t total) {
  api::JobSummaryList list;
  for (const JobView& view : views) {
    if (view.job.kind == JobKind::kCompile) {
      fill_summary(view, *list.add_job_summaries()->mutable_compile_job_summary());
    } else if (view.job.answer_as_profile_job) {
      fill_run_summary(view, *list.add_job_summaries()->mutable_profile_job_summary());
    } else if (view.job.kind == JobKind::kProfile || view.job.kind == JobKind::kInference) {
      api::InferenceJobSummary& summary = *list.add_job_summaries()->mutable_inference_job_summary();
      fill_run_summary(view, summary);
      summary.set_is_profiling_on(view.job.is_profiling);
    }
  }
  list.set_total_query_count(total);
  return list.SerializeAsString();
}

base::Result<domain::Submission> decode_submission(std::string_view bytes) {
  SLIPWAY_ASSIGN(const auto message, internal::parse<api::Job>(bytes, "Job"));
  domain::Submission submission;
  switch (message.job_case()) {
    case api::Job::kCompileJob: {
      const api::CompileJob& arm = message.compile_job();
      take_common(arm, submission);
      submission.kind = JobKind::kCompile;
      submission.model_id = arm.model().model_id();
      for (const api::Device& device : arm.devices().devices()) {
        submission.devices.push_back(internal::device_of(device));
      }
      if (submission.devices.empty() && arm.has_device()) {
        submission.devices.push_back(internal::device_of(arm.device()));
      }
      SLIPWAY_ASSIGN(submission.input_specs, internal::specs_of(arm.tensor_type_list()));
      submission.dataset_id = arm.calibration_dataset().dataset_id();
      return submission;
    }
    case api::Job::kInferenceJob: {
      const api::InferenceJob& arm = message.inference_job();
      take_common(arm, submission);
      submission.kind = arm.dataset().dataset_id().empty() ? JobKind::kProfile : JobKind::kInference;
      submission.model_id = arm.model().model_id();
      if (arm.has_device()) submission.devices.push_back(internal::device_of(arm.device()));
      submission.dataset_id = arm.dataset().dataset_id();
      submission.is_profiling = arm.is_profiling_on();
      return submission;
    }
    case api::Job::kProfileJob: {
      const api::ProfileJob& arm = message.profile_job();
      take_common(arm, submission);
      submission.kind = JobKind::kProfile;
      submission.model_id = arm.model().model_id();
      if (arm.has_device()) submission.devices.push_back(internal::device_of(arm.device()));
      submission.dataset_id = arm.dataset().dataset_id();
      submission.is_profiling = true;
      submission.answer_as_profile_job = true;
      return submission;
    }
    case api::Job::kQuantizeJob: {
      const api::QuantizeJob& arm = message.quantize_job();
      take_common(arm, submission);
      submission.kind = JobKind::kQuantize;
      submission.model_id = arm.model().model_id();
      submission.dataset_id = arm.calibration_dataset().dataset_id();
      return submission;
    }
    case api::Job::kLinkJob: {
      const api::LinkJob& arm = message.link_job();
      take_common(arm, submission);
      submission.kind = JobKind::kLink;
      if (arm.models().models_size() > 0) submission.model_id = arm.models().models(0).model_id();
      if (arm.has_device()) submission.devices.push_back(internal::device_of(arm.device()));
      return submission;
    }
    case api::Job::JOB_NOT_SET:
      break;
  }
  return base::fail(base::Code::kInvalidArgument,
                    "expected a Job with compile_job, inference_job, profile_job, quantize_job or link_job set, found "
                    "none of them");
}

base::Result<std::optional<std::string>> decode_job_name(std::string_view bytes) {
  SLIPWAY_ASSIGN(const auto message, internal::parse<api::JobPublicUpdate>(bytes, "JobPublicUpdate"));
  if (!message.has_name()) return std::optional<std::string>();
  return std::optional<std::string>(message.name());
}

std::optional<std::string> encode_job_result(const JobView& view) {
  const domain::Job& job = view.job;
  if (job.state != domain::JobState::kDone || !job.outcome) return std::nullopt;
  api::JobResult message;
  switch (job.kind) {
    case JobKind::kCompile: {
      api::CompileJobResult& result = *message.mutable_compile_job_result();
      result.set_compile_job_id(wire_text(job.id));
      for (const auto& [name, version] : job.outcome->tool_versions) {
        api::ToolVersion& entry = *result.mutable_compile_detail()->add_tool_versions();
        entry.set_name(wire_text(name));
        entry.set_version(wire_text(version));
      }
      break;
    }
    case JobKind::kProfile:
    case JobKind::kInference:
      if (job.answer_as_profile_job) {
        message.mutable_profile_job_result()->set_profile_job_id(wire_text(job.id));
        internal::fill_profile(*job.outcome, *message.mutable_profile_job_result()->mutable_profile());
      } else {
        api::InferenceJobResult& result = *message.mutable_inference_job_result();
        result.set_inference_job_id(wire_text(job.id));
        result.set_output_dataset_id(wire_text(job.output_dataset_id));
        internal::fill_profile(*job.outcome, *result.mutable_detail());
      }
      break;
    case JobKind::kQuantize:
    case JobKind::kLink:
    case JobKind::kInspect:
      return std::nullopt;
  }
  return message.SerializeAsString();
}

}  // namespace slipway::hub::protocol
