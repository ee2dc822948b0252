#include <array>

#include "base/text.hpp"
#include "hub/domain/job_state.hpp"
#include "hub/protocol/job_report.hpp"
#include "hub/protocol/jobs.hpp"
#include "hub/protocol/transfers.hpp"
#include "hub/server/internal/handlers.hpp"

namespace slipway::hub::server::internal {
namespace {

template <typename T>
std::optional<T> found(base::Result<T> result) {
  return result ? std::optional<T>(std::move(*result)) : std::nullopt;
}

/// The job with what surrounds it. A part that cannot be read is left out: the job itself is what was asked for.
protocol::JobView view_of(const Context& context, const Call& call, domain::Job entry) {
  protocol::JobView view;
  view.owner = entry.owner_id == call.actor.user.id
                   ? call.actor.user
                   : context.hub.accounts.user(entry.owner_id).value_or(domain::User{});
  const auto model = [&](const std::string& id) {
    return id.empty() ? std::nullopt : found(context.hub.contents.model(call.actor, id));
  };
  const auto dataset = [&](const std::string& id) {
    return id.empty() ? std::nullopt : found(context.hub.contents.dataset(call.actor, id));
  };
  const domain::JobInputs inputs = domain::inputs_of(entry.payload);
  for (const std::string& id : inputs.model_ids) {
    if (auto input = model(id)) view.models.push_back(std::move(*input));
  }
  view.dataset = dataset(inputs.dataset_id);
  view.target = model(domain::target_model_of(entry));
  view.output = dataset(domain::output_dataset_of(entry));
  view.hub_version = context.hub.settings().hub_version;
  view.job = std::move(entry);
  return view;
}

base::Result<domain::Listed<domain::Job>> listed(const Context& context, const Call& call) {
  SLIPWAY_ASSIGN(domain::JobFilter filter, protocol::job_filter(call.query));
  SLIPWAY_ASSIGN(const domain::Page page, protocol::page_of(call.query));
  filter.creator_email = call.query.first("creator");
  filter.project_id = call.match.project_id;
  return context.hub.jobs.jobs(call.actor, filter, page);
}

base::Result<std::pair<std::vector<protocol::JobView>, std::uint64_t>> views(const Context& context, const Call& call) {
  SLIPWAY_ASSIGN(auto page, listed(context, call));
  std::pair<std::vector<protocol::JobView>, std::uint64_t> result;
  for (domain::Job& entry : page.items) result.first.push_back(view_of(context, call, std::move(entry)));
  result.second = page.total;
  return result;
}

base::Result<domain::ArtifactType> artifact_type(const std::string& text) {
  using domain::ArtifactType;
  const auto number = base::parse_number<int>(text);
  for (const ArtifactType type : {ArtifactType::kDeviceLog, ArtifactType::kHubLog, ArtifactType::kProfileTrace,
                                  ArtifactType::kNetronArchive, ArtifactType::kQhasSummary}) {
    if (number == static_cast<int>(type)) return type;
  }
  return base::fail(base::Code::kNotFound, "expected an artifact type among 1, 5, 6, 7, 8, found \"{}\"", text);
}

}  // namespace

LaterReply submit_job(const Context& context, const Call& call, bool is_last) {
  SLIPWAY_ASSIGN(domain::Submission submission, protocol::decode_submission(call.request.body));
  if (!call.match.project_id.empty()) submission.project_id = call.match.project_id;
  if (!is_last && context.hub.jobs.inspections_pending(call.actor, submission)) return std::optional<Response>();
  SLIPWAY_ASSIGN(const domain::Job made, context.hub.jobs.submit(call.actor, submission));
  return std::optional(message(protocol::encode_created(made.id, made.created)));
}

Reply jobs(const Context& context, const Call& call) {
  SLIPWAY_ASSIGN(const auto page, views(context, call));
  return message(protocol::encode_jobs(page.first, page.second));
}

Reply job_summaries(const Context& context, const Call& call) {
  SLIPWAY_ASSIGN(const auto page, views(context, call));
  return message(protocol::encode_job_summaries(page.first, page.second));
}

Reply job(const Context& context, const Call& call) {
  SLIPWAY_ASSIGN(domain::Job entry, context.hub.jobs.job(call.actor, id_of(call)));
  return message(protocol::encode_job(view_of(context, call, std::move(entry))));
}

Reply update_job(const Context& context, const Call& call) {
  SLIPWAY_ASSIGN(const auto name, protocol::decode_job_name(call.request.body));
  if (!name) return base::fail(base::Code::kInvalidArgument, "only the name of a job can be changed; none was given");
  SLIPWAY_TRY(context.hub.jobs.rename_job(call.actor, id_of(call), *name));
  return message(protocol::encode_created(id_of(call)));
}

Reply job_result(const Context& context, const Call& call) {
  SLIPWAY_ASSIGN(domain::Job entry, context.hub.jobs.job(call.actor, id_of(call)));
  const auto bytes = protocol::encode_job_result(view_of(context, call, std::move(entry)));
  if (!bytes) return base::fail(base::Code::kNotFound, "job {} has no result (yet)", id_of(call));
  return message(*bytes);
}

Reply compiled_model_download(const Context& context, const Call& call) {
  SLIPWAY_ASSIGN(const domain::Job entry, context.hub.jobs.job(call.actor, id_of(call)));
  const std::string target = domain::target_model_of(entry);
  if (target.empty()) {
    return base::fail(base::Code::kFailedPrecondition, "job {} produces no model", entry.id);
  }
  SLIPWAY_ASSIGN(const protocol::PlanForm form, protocol::plan_form(call.query));
  SLIPWAY_ASSIGN(const auto file, context.hub.contents.model_download(call.actor, target));
  return message(
      protocol::encode_download({.url = download_url(context, call, file), .filename = file.filename}, form));
}

Reply artifacts(const Context& context, const Call& call) {
  SLIPWAY_ASSIGN(const domain::ArtifactType type, artifact_type(call.match.parameters.at(2)));
  SLIPWAY_ASSIGN(const auto files, context.hub.jobs.artifacts(call.actor, id_of(call), type));
  std::vector<protocol::DownloadLink> links;
  for (const domain::Download& file : files) {
    links.push_back({.url = download_url(context, call, file), .filename = file.filename});
  }
  return message(protocol::encode_artifacts(links));
}

Reply job_report(const Context& context, const Call& call) {
  SLIPWAY_ASSIGN(domain::Job entry, context.hub.jobs.job(call.actor, id_of(call)));
  const protocol::JobView view = view_of(context, call, std::move(entry));
  const auto link = [&](const base::Result<domain::Download>& file) {
    return file ? download_path(context, file->blob, file->filename) : std::string();
  };
  protocol::ReportLinks links;
  if (!view.models.empty()) {
    links.model = link(context.hub.contents.model_download(call.actor, view.models.front().id));
  }
  if (view.target) links.target = link(context.hub.contents.model_download(call.actor, view.target->id));
  if (view.dataset) links.dataset = link(context.hub.contents.dataset_download(call.actor, view.dataset->id));
  if (view.output) links.output = link(context.hub.contents.dataset_download(call.actor, view.output->id));
  for (const domain::Artifact& artifact : view.job.artifacts) {
    links.artifacts.push_back(download_path(context, artifact.content, artifact.filename));
  }
  std::optional<std::uint64_t> position;
  if (view.job.state == domain::JobState::kCreated) {
    position = found(context.hub.jobs.queue_position(call.actor, view.job.id));
  }
  return json(protocol::encode_job_report(view, position, links));
}

Reply job_log(const Context& context, const Call& call) {
  SLIPWAY_ASSIGN(const std::uint64_t offset, call.query.number("offset", 0));
  // The state first: lines that come between the two readings are then given by the next call at the latest.
  SLIPWAY_ASSIGN(const domain::Job entry, context.hub.jobs.job(call.actor, id_of(call)));
  SLIPWAY_ASSIGN(const std::string log, context.hub.jobs.log(call.actor, id_of(call)));
  return json(protocol::encode_job_log(log, offset, domain::is_terminal(entry.state)));
}

Reply recent_jobs(const Context& context, const Call& call) {
  SLIPWAY_ASSIGN(const auto page, listed(context, call));
  return json(protocol::encode_recent_jobs(page.items, page.total));
}

}  // namespace slipway::hub::server::internal
