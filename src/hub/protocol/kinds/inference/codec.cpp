#include <nlohmann/json.hpp>

#include "hub/protocol/kinds/run/internal/run_codec.hpp"

namespace slipway::hub::protocol::internal {

using domain::kinds::Inference;

std::optional<base::Result<domain::Submission>> decode_submission_of(KindCodec<Inference> /*kind*/,
                                                                     const api::Job& message) {
  if (!message.has_inference_job() || message.inference_job().dataset().dataset_id().empty()) return std::nullopt;
  return run_of<Inference>(message.inference_job(), message.inference_job().is_profiling_on());
}

void fill_job_of(KindCodec<Inference> /*kind*/, const JobView& view, const Inference& payload, api::Job& message) {
  fill_run(view, payload, message);
}

void fill_summary_of(KindCodec<Inference> /*kind*/, const JobView& view, const Inference& payload,
                     api::JobSummary& message) {
  fill_run_summary(view, payload, message);
}

void fill_result_of(KindCodec<Inference> /*kind*/, const JobView& view, const Inference& payload,
                    const Inference::Result& result, api::JobResult& message) {
  fill_run_result(view, payload, result, message);
}

void report_result_of(KindCodec<Inference> /*kind*/, const Inference::Result& result, nlohmann::ordered_json& report) {
  report_run_result(result, report);
}

}  // namespace slipway::hub::protocol::internal
