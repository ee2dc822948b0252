#include <nlohmann/json.hpp>

#include "hub/protocol/internal/kind_codec.hpp"
#include "hub/protocol/internal/report_json.hpp"

namespace slipway::hub::protocol::internal {

using domain::kinds::Compile;

std::optional<base::Result<domain::Submission>> decode_submission_of(KindCodec<Compile> /*kind*/,
                                                                     const api::Job& message) {
  if (!message.has_compile_job()) return std::nullopt;
  const api::CompileJob& arm = message.compile_job();
  Compile compile;
  compile.model_id = arm.model().model_id();
  compile.dataset_id = arm.calibration_dataset().dataset_id();
  auto specs = specs_of(arm.tensor_type_list());
  if (!specs) return std::unexpected(specs.error());
  compile.input_specs = std::move(*specs);
  domain::Submission submission = submission_of(arm, std::move(compile));
  for (const api::Device& device : arm.devices().devices()) submission.devices.push_back(device_of(device));
  if (submission.devices.empty() && arm.has_device()) submission.devices.push_back(device_of(arm.device()));
  return submission;
}

void fill_job_of(KindCodec<Compile> /*kind*/, const JobView& view, const Compile& payload, api::Job& message) {
  api::CompileJob& arm = *message.mutable_compile_job();
  fill_common(view, arm);
  fill_error_details(view.job, arm);
  arm.set_compile_job_id(wire_text(view.job.id));
  fill_input_model(view, payload.model_id, *arm.mutable_model());
  if (view.job.device) fill_device(*view.job.device, *arm.mutable_device());
  for (const domain::Device& device : payload.devices) fill_device(device, *arm.mutable_devices()->add_devices());
  fill_specs(payload.input_specs, *arm.mutable_tensor_type_list());
  if (view.target) fill_model(*view.target, view.owner, *arm.mutable_target_model());
  if (view.job.outcome) {
    const auto* const result = std::get_if<Compile::Result>(&view.job.outcome->result);
    fill_tensors(result == nullptr ? std::vector<domain::ModelTensor>{} : result->target_inputs,
                 *arm.mutable_target_tensor_type_list());
  }
  if (!payload.dataset_id.empty()) fill_input_data(view, payload.dataset_id, *arm.mutable_calibration_dataset());
}

void fill_summary_of(KindCodec<Compile> /*kind*/, const JobView& view, const Compile& /*payload*/,
                     api::JobSummary& message) {
  fill_summary(view, *message.mutable_compile_job_summary());
}

void fill_result_of(KindCodec<Compile> /*kind*/, const JobView& view, const Compile& /*payload*/,
                    const Compile::Result& /*result*/, api::JobResult& message) {
  api::CompileJobResult& result = *message.mutable_compile_job_result();
  result.set_compile_job_id(wire_text(view.job.id));
  for (const auto& [name, version] : view.job.outcome->tool_versions) {
    api::ToolVersion& entry = *result.mutable_compile_detail()->add_tool_versions();
    entry.set_name(wire_text(name));
    entry.set_version(wire_text(version));
  }
}

void report_result_of(KindCodec<Compile> /*kind*/, const Compile::Result& result, nlohmann::ordered_json& report) {
  report_agreement(result.agreement, result.agreement_note, report);
  report_compiler_account(result, report);
}

}  // namespace slipway::hub::protocol::internal
