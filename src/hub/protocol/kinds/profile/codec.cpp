#include <nlohmann/json.hpp>

#include "hub/protocol/kinds/run/internal/run_codec.hpp"

namespace slipway::hub::protocol::internal {

using domain::kinds::Profile;

std::optional<base::Result<domain::Submission>> decode_submission_of(KindCodec<Profile> /*kind*/,
                                                                     const api::Job& message) {
  // Today's client sends profile jobs as inference jobs without inputs, older ones in an arm of their own.
  if (message.has_inference_job() && message.inference_job().dataset().dataset_id().empty()) {
    return run_of<Profile>(message.inference_job(), message.inference_job().is_profiling_on());
  }
  if (!message.has_profile_job()) return std::nullopt;
  domain::Submission submission = run_of<Profile>(message.profile_job(), true);
  std::get<Profile>(submission.payload).answer_as_profile_job = true;
  return submission;
}

void fill_job_of(KindCodec<Profile> /*kind*/, const JobView& view, const Profile& payload, api::Job& message) {
  fill_run(view, payload, message);
}

void fill_summary_of(KindCodec<Profile> /*kind*/, const JobView& view, const Profile& payload,
                     api::JobSummary& message) {
  fill_run_summary(view, payload, message);
}

void fill_result_of(KindCodec<Profile> /*kind*/, const JobView& view, const Profile& payload,
                    const Profile::Result& result, api::JobResult& message) {
  fill_run_result(view, payload, result, message);
}

void report_result_of(KindCodec<Profile> /*kind*/, const Profile::Result& result, nlohmann::ordered_json& report) {
  report_run_result(result, report);
}

}  // namespace slipway::hub::protocol::internal
