#include <nlohmann/json.hpp>

#include "hub/protocol/internal/kind_codec.hpp"
#include "hub/protocol/internal/report_json.hpp"

namespace slipway::hub::protocol::internal {

using domain::kinds::NumberType;
using domain::kinds::Quantize;

namespace {

/// @error kInvalidArgument: a type that the client itself cannot read back
base::Result<NumberType> number_type_of(std::string_view field, api::QuantizeDtype number) {
  const auto* const found = std::ranges::find(domain::kinds::kNumberTypes, static_cast<int>(number),
                                              [](NumberType type) { return static_cast<int>(type); });
  if (found != domain::kinds::kNumberTypes.end()) return *found;
  return base::fail(base::Code::kInvalidArgument, "{}: expected INT8, INT16 or INT4, found number {} of QuantizeDtype",
                    field, static_cast<int>(number));
}

}  // namespace

std::optional<base::Result<domain::Submission>> decode_submission_of(KindCodec<Quantize> /*kind*/,
                                                                     const api::Job& message) {
  if (!message.has_quantize_job()) return std::nullopt;
  const api::QuantizeJob& arm = message.quantize_job();
  Quantize quantize;
  quantize.model_id = arm.model().model_id();
  quantize.dataset_id = arm.calibration_dataset().dataset_id();
  const auto weights = number_type_of("weights_dtype", arm.weights_dtype());
  if (!weights) return std::unexpected(weights.error());
  const auto activations = number_type_of("activations_dtype", arm.activations_dtype());
  if (!activations) return std::unexpected(activations.error());
  quantize.weights = *weights;
  quantize.activations = *activations;
  return submission_of(arm, std::move(quantize));
}

void fill_job_of(KindCodec<Quantize> /*kind*/, const JobView& view, const Quantize& payload, api::Job& message) {
  api::QuantizeJob& arm = *message.mutable_quantize_job();
  fill_common(view, arm);
  arm.set_quantize_job_id(wire_text(view.job.id));
  fill_input_model(view, payload.model_id, *arm.mutable_model());
  fill_input_data(view, payload.dataset_id, *arm.mutable_calibration_dataset());
  arm.set_weights_dtype(static_cast<api::QuantizeDtype>(payload.weights));
  arm.set_activations_dtype(static_cast<api::QuantizeDtype>(payload.activations));
  if (!view.models.empty() && view.models.front().inspection) {
    fill_tensors(view.models.front().inspection->inputs, *arm.mutable_tensor_type_list());
  }
  if (view.target) fill_model(*view.target, view.owner, *arm.mutable_target_model());
}

void fill_summary_of(KindCodec<Quantize> /*kind*/, const JobView& view, const Quantize& /*payload*/,
                     api::JobSummary& message) {
  fill_summary(view, *message.mutable_quantize_job_summary());
}

void fill_result_of(KindCodec<Quantize> /*kind*/, const JobView& view, const Quantize& /*payload*/,
                    const Quantize::Result& result, api::JobResult& message) {
  api::QuantizeJobResult& arm = *message.mutable_quantize_job_result();
  arm.set_quantize_job_id(wire_text(view.job.id));
  api::QuantizeDetail& detail = *arm.mutable_quantize_detail();
  for (const auto& [name, version] : view.job.outcome->tool_versions) {
    api::ToolVersion& entry = *detail.add_tool_versions();
    entry.set_name(wire_text(name));
    entry.set_version(wire_text(version));
  }
  for (const domain::OutputAgreement& row : result.agreement) {
    (*detail.mutable_psnr())[wire_text(row.output)] = static_cast<float>(row.psnr_db);
  }
}

void report_result_of(KindCodec<Quantize> /*kind*/, const Quantize::Result& result, nlohmann::ordered_json& report) {
  report_agreement(result.agreement, result.agreement_note, report);
  auto recipe = nlohmann::ordered_json::object();
  for (const auto& [name, value] : result.recipe) recipe[wire_text(name)] = wire_text(value);
  report["recipe"] = recipe;
}

}  // namespace slipway::hub::protocol::internal
