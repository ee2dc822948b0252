#include "hub/protocol/jobs.hpp"

#include <set>

#include <google/protobuf/descriptor.h>

#include "hub/domain/job_state.hpp"
#include "hub/protocol/internal/kind_codec.hpp"
#include "hub/protocol/internal/profile.hpp"

namespace slipway::hub::protocol {
namespace {

namespace api = internal::api;
using internal::KindCodec;

void fill_notices(const domain::Job& job, api::Job& message) {
  for (const std::string& warning : domain::warnings_of(job)) {
    api::Notice& notice = *message.add_notices();
    notice.set_context(api::Notice::MODEL);
    notice.set_severity(api::Notice::WARNING);
    notice.set_message(wire_text(warning));
  }
  for (const std::string& remark : internal::remarks_of(job)) {
    api::Notice& notice = *message.add_notices();
    notice.set_context(domain::part<domain::kinds::RunResult>(job.outcome->result) != nullptr ? api::Notice::DEVICE
                                                                                              : api::Notice::MODEL);
    notice.set_severity(internal::is_emulated(job) ? api::Notice::WARNING : api::Notice::INFO);
    notice.set_message(wire_text(remark));
  }
}

void fill_job(const JobView& view, api::Job& message) {
  const domain::Job& job = view.job;
  std::visit(
      [&]<typename Kind>(const Kind& payload) {
        if constexpr (Kind::kEntry.is_submitted) fill_job_of(KindCodec<Kind>{}, view, payload, message);
      },
      job.payload);
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

template <typename Kind>
std::optional<base::Result<domain::Submission>> decode_one(const api::Job& message) {
  if constexpr (Kind::kEntry.is_submitted) return decode_submission_of(KindCodec<Kind>{}, message);
  return std::nullopt;
}

/// The first kind that finds its own in the message.
template <typename... Kinds>
std::optional<base::Result<domain::Submission>> decode_any(const api::Job& message,
                                                           domain::KindList<Kinds...> /*kinds*/) {
  std::optional<base::Result<domain::Submission>> found;
  static_cast<void>(((found = decode_one<Kinds>(message)).has_value() || ...));
  return found;
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
    std::visit(
        [&]<typename Kind>(const Kind& payload) {
          if constexpr (Kind::kEntry.is_submitted) {
            fill_summary_of(KindCodec<Kind>{}, view, payload, *list.add_job_summaries());
          }
        },
        view.job.payload);
  }
  list.set_total_query_count(total);
  return list.SerializeAsString();
}

base::Result<domain::Submission> decode_submission(std::string_view bytes) {
  SLIPWAY_ASSIGN(const auto message, internal::parse<api::Job>(bytes, "Job"));
  if (auto submission = decode_any(message, domain::JobKinds{})) return std::move(*submission);
  const auto* const arm =
      api::Job::GetReflection()->GetOneofFieldDescriptor(message, api::Job::descriptor()->FindOneofByName("job"));
  if (arm == nullptr) {
    return base::fail(base::Code::kInvalidArgument,
                      "expected a Job with compile_job, inference_job, profile_job, quantize_job or link_job set, "
                      "found none of them");
  }
  std::string kind(arm->name());
  kind.resize(kind.size() - std::string_view("_job").size());
  return base::fail(base::Code::kUnimplemented, "{} jobs are not carried out by this hub yet", kind);
}

base::Result<std::optional<std::string>> decode_job_name(std::string_view bytes) {
  SLIPWAY_ASSIGN(const auto message, internal::parse<api::JobPublicUpdate>(bytes, "JobPublicUpdate"));
  if (!message.has_name()) return std::optional<std::string>();
  return std::optional<std::string>(message.name());
}

std::optional<std::string> encode_job_result(const JobView& view) {
  const domain::Job& job = view.job;
  if (job.state != domain::JobState::kDone || !job.outcome) return std::nullopt;
  return std::visit(
      [&]<typename Kind>(const Kind& payload) -> std::optional<std::string> {
        if constexpr (Kind::kEntry.is_submitted) {
          const auto* const result = std::get_if<typename Kind::Result>(&job.outcome->result);
          if (result == nullptr) return std::nullopt;
          api::JobResult message;
          fill_result_of(KindCodec<Kind>{}, view, payload, *result, message);
          return message.SerializeAsString();
        }
        return std::nullopt;
      },
      job.payload);
}

}  // namespace slipway::hub::protocol
