#include <nlohmann/json.hpp>

#include "hub/protocol/internal/kind_codec.hpp"

namespace slipway::hub::protocol::internal {

using domain::kinds::Toy;

std::optional<base::Result<domain::Submission>> decode_submission_of(KindCodec<Toy> /*kind*/, const api::Job& message) {
  if (!message.has_link_job()) return std::nullopt;
  Toy toy;
  for (const api::Model& model : message.link_job().models().models()) toy.model_ids.push_back(model.model_id());
  domain::Submission submission = submission_of(message.link_job(), std::move(toy));
  submission.devices.push_back(device_of(message.link_job().device()));
  return submission;
}

void fill_job_of(KindCodec<Toy> /*kind*/, const JobView& view, const Toy& payload, api::Job& message) {
  api::LinkJob& arm = *message.mutable_link_job();
  fill_common(view, arm);
  arm.set_link_job_id(wire_text(view.job.id));
  for (const std::string& id : payload.model_ids) fill_input_model(view, id, *arm.mutable_models()->add_models());
  if (view.target) fill_model(*view.target, view.owner, *arm.mutable_target_model());
}

void fill_summary_of(KindCodec<Toy> /*kind*/, const JobView& view, const Toy& /*payload*/, api::JobSummary& message) {
  fill_summary(view, *message.mutable_link_job_summary());
}

void fill_result_of(KindCodec<Toy> /*kind*/, const JobView& view, const Toy& /*payload*/, const Toy::Result& /*result*/,
                    api::JobResult& message) {
  message.mutable_link_job_result()->set_link_job_id(wire_text(view.job.id));
}

void report_result_of(KindCodec<Toy> /*kind*/, const Toy::Result& result, nlohmann::ordered_json& report) {
  report["joined_bytes"] = result.byte_count;
}

}  // namespace slipway::hub::protocol::internal
