#include <algorithm>

#include <fmt/format.h>

#include "hub/protocol/content_report.hpp"
#include "hub/protocol/datasets.hpp"
#include "hub/protocol/devices.hpp"
#include "hub/protocol/models.hpp"
#include "hub/protocol/transfers.hpp"
#include "hub/protocol/users.hpp"
#include "hub/server/internal/handlers.hpp"

namespace slipway::hub::server::internal {
namespace {

/// Who owns an entry; the asker when the owner's row cannot be read.
domain::User owner_of(const Context& context, const Call& call, const std::string& owner_id) {
  if (owner_id == call.actor.user.id) return call.actor.user;
  return context.hub.accounts.user(owner_id).value_or(call.actor.user);
}

base::Result<std::optional<std::uint64_t>> announced_size(const Call& call) {
  if (!call.query.has("file_size")) return std::optional<std::uint64_t>();
  SLIPWAY_ASSIGN(const std::uint64_t size, call.query.number("file_size", 0));
  return std::optional(size);
}

Reply download(const Context& context, const Call& call, const base::Result<domain::Download>& file) {
  if (!file) return std::unexpected(file.error());
  SLIPWAY_ASSIGN(const protocol::PlanForm form, protocol::plan_form(call.query));
  return message(
      protocol::encode_download({.url = download_url(context, call, *file), .filename = file->filename}, form));
}

constexpr std::uint64_t kShownJobs = 50;

template <typename Content>
std::optional<domain::Job> producer_of(const Context& context, const Call& call, const Content& content) {
  if (content.producer_job_id.empty()) return std::nullopt;
  auto job = context.hub.jobs.job(call.actor, content.producer_job_id);
  return job ? std::optional(std::move(*job)) : std::nullopt;
}

template <typename Content>
std::vector<protocol::ContentLine<Content>> lines_of(const Context& context, const Call& call,
                                                     std::vector<Content> items) {
  std::vector<protocol::ContentLine<Content>> lines;
  for (Content& item : items) {
    auto producer = producer_of(context, call, item);
    lines.push_back({.content = std::move(item), .producer = std::move(producer)});
  }
  return lines;
}

/// A part that cannot be read is left out: the model or dataset itself is what was asked for.
template <typename Content>
protocol::ContentSurroundings around(const Context& context, const Call& call, const Content& content,
                                     const domain::JobFilter& consumers, const base::Result<domain::Download>& file) {
  protocol::ContentSurroundings result;
  result.owner = owner_of(context, call, content.owner_id);
  result.producer = producer_of(context, call, content);
  if (auto jobs = context.hub.jobs.jobs(call.actor, consumers, {.offset = 0, .limit = kShownJobs})) {
    result.consumers = std::move(*jobs);
  }
  if (file) result.download_url = download_path(context, file->blob, file->filename);
  result.now = context.hub.now();
  return result;
}

}  // namespace

Reply user(const Context&, const Call& call) {
  return message(protocol::encode_user(call.actor.user));
}

Reply login(const Context&, const Call&) {
  return base::fail(base::Code::kInvalidArgument,
                    "this hub has no passwords: give a token instead (qai-hub configure --api_token TOKEN; the "
                    "hub's administrator makes one with `slipway-hub token create`)");
}

Reply devices(const Context& context, const Call& call) {
  SLIPWAY_ASSIGN(const domain::DeviceQuery query, protocol::device_query(call.query));
  SLIPWAY_ASSIGN(const std::vector<domain::Device> found, context.hub.agents.match(query));
  return message(protocol::encode_devices(found));
}

Reply frameworks(const Context& context, const Call&) {
  return message(protocol::encode_frameworks(context.hub.agents.frameworks()));
}

Reply create_model(const Context& context, const Call& call) {
  SLIPWAY_ASSIGN(domain::NewModel request, protocol::decode_new_model(call.request.body));
  if (!call.match.project_id.empty()) request.project_id = call.match.project_id;
  SLIPWAY_ASSIGN(const domain::Model made, context.hub.contents.create_model(call.actor, request));
  return message(protocol::encode_created(made.id, made.created));
}

Reply models(const Context& context, const Call& call) {
  SLIPWAY_ASSIGN(const domain::Page page, protocol::page_of(call.query));
  SLIPWAY_ASSIGN(const auto found, context.hub.contents.models(call.actor, call.query.first("producer"), page));
  std::vector<protocol::ModelView> views;
  for (const domain::Model& entry : found.items) {
    views.push_back({.model = entry, .owner = owner_of(context, call, entry.owner_id)});
  }
  return message(protocol::encode_models(views, found.total));
}

Reply model(const Context& context, const Call& call) {
  SLIPWAY_ASSIGN(const domain::Model found, context.hub.contents.model(call.actor, id_of(call)));
  return message(protocol::encode_model({.model = found, .owner = owner_of(context, call, found.owner_id)}));
}

Reply update_model(const Context& context, const Call& call) {
  SLIPWAY_ASSIGN(const auto name, protocol::decode_model_name(call.request.body));
  if (!name) return base::fail(base::Code::kInvalidArgument, "only the name of a model can be changed; none was given");
  SLIPWAY_ASSIGN(const domain::Model renamed, context.hub.contents.rename_model(call.actor, id_of(call), *name));
  return message(protocol::encode_created(renamed.id, renamed.created));
}

Reply model_upload_plan(const Context& context, const Call& call) {
  SLIPWAY_ASSIGN(const protocol::PlanForm form, protocol::plan_form(call.query));
  SLIPWAY_ASSIGN(const auto size, announced_size(call));
  SLIPWAY_ASSIGN(const domain::Upload upload, context.hub.contents.plan_model_upload(call.actor, id_of(call), size));
  protocol::PartPlan plan{.upload_id = upload.id, .urls = {}, .max_part_size_bytes = upload.part_size_bytes};
  for (std::uint32_t part = 0; part < upload.part_count; ++part) {
    plan.urls.push_back(fmt::format("{}/assets/upload/{}/{}", call.base_url, upload.id, part));
  }
  return message(protocol::encode_part_plan(plan, form));
}

Reply model_upload_complete(const Context& context, const Call& call) {
  SLIPWAY_ASSIGN(const auto completion, protocol::decode_upload_completion(call.request.body));
  SLIPWAY_ASSIGN(const domain::Model complete, context.hub.contents.complete_model_upload(
                                                   call.actor, id_of(call), completion.upload_id, completion.etags));
  return message(protocol::encode_created(complete.id, complete.created));
}

Reply model_download(const Context& context, const Call& call) {
  return download(context, call, context.hub.contents.model_download(call.actor, id_of(call)));
}

Reply create_dataset(const Context& context, const Call& call) {
  SLIPWAY_ASSIGN(domain::NewDataset request, protocol::decode_new_dataset(call.request.body));
  if (!call.match.project_id.empty()) request.project_id = call.match.project_id;
  SLIPWAY_ASSIGN(const domain::Dataset made, context.hub.contents.create_dataset(call.actor, request));
  return message(protocol::encode_created(made.id, made.created, made.expires));
}

Reply datasets(const Context& context, const Call& call) {
  SLIPWAY_ASSIGN(const domain::Page page, protocol::page_of(call.query));
  SLIPWAY_ASSIGN(const auto found, context.hub.contents.datasets(call.actor, page));
  std::vector<protocol::DatasetView> views;
  for (const domain::Dataset& entry : found.items) {
    views.push_back({.dataset = entry, .owner = owner_of(context, call, entry.owner_id)});
  }
  return message(protocol::encode_datasets(views, found.total));
}

Reply dataset(const Context& context, const Call& call) {
  SLIPWAY_ASSIGN(const domain::Dataset found, context.hub.contents.dataset(call.actor, id_of(call)));
  return message(protocol::encode_dataset({.dataset = found, .owner = owner_of(context, call, found.owner_id)}));
}

Reply update_dataset(const Context& context, const Call& call) {
  SLIPWAY_ASSIGN(const bool is_finished, protocol::decode_upload_finished(call.request.body));
  if (!is_finished) {
    return base::fail(base::Code::kInvalidArgument,
                      "of a dataset only the end of its upload can be told (file_upload_complete)");
  }
  SLIPWAY_ASSIGN(const domain::Dataset complete, context.hub.contents.complete_dataset_upload(call.actor, id_of(call)));
  return message(protocol::encode_created(complete.id, complete.created, complete.expires));
}

Reply dataset_upload_plan(const Context& context, const Call& call) {
  SLIPWAY_ASSIGN(const protocol::PlanForm form, protocol::plan_form(call.query));
  SLIPWAY_ASSIGN(const auto size, announced_size(call));
  SLIPWAY_ASSIGN(const domain::Upload upload, context.hub.contents.plan_dataset_upload(call.actor, id_of(call), size));
  return message(protocol::encode_form_plan(fmt::format("{}/assets/form/{}", call.base_url, upload.id), "file", form));
}

Reply dataset_download(const Context& context, const Call& call) {
  return download(context, call, context.hub.contents.dataset_download(call.actor, id_of(call)));
}

Reply model_report(const Context& context, const Call& call) {
  SLIPWAY_ASSIGN(const domain::Model found, context.hub.contents.model(call.actor, id_of(call)));
  domain::JobFilter consumers;
  consumers.model_id = found.id;
  return json(protocol::encode_model_report(
      found, around(context, call, found, consumers, context.hub.contents.model_download(call.actor, found.id))));
}

Reply dataset_report(const Context& context, const Call& call) {
  SLIPWAY_ASSIGN(const domain::Dataset found, context.hub.contents.dataset(call.actor, id_of(call)));
  domain::JobFilter consumers;
  consumers.dataset_id = found.id;
  return json(protocol::encode_dataset_report(
      found, around(context, call, found, consumers, context.hub.contents.dataset_download(call.actor, found.id))));
}

Reply recent_models(const Context& context, const Call& call) {
  SLIPWAY_ASSIGN(const domain::Page page, protocol::page_of(call.query));
  SLIPWAY_ASSIGN(auto found, context.hub.contents.models(call.actor, {}, page));
  return json(protocol::encode_recent_models(lines_of(context, call, std::move(found.items)), found.total));
}

Reply recent_datasets(const Context& context, const Call& call) {
  SLIPWAY_ASSIGN(const domain::Page page, protocol::page_of(call.query));
  SLIPWAY_ASSIGN(auto found, context.hub.contents.datasets(call.actor, page));
  return json(protocol::encode_recent_datasets(lines_of(context, call, std::move(found.items)), found.total,
                                               context.hub.now()));
}

Reply credentials_complete(const Context&, const Call&) {
  return base::fail(
      base::Code::kInvalidArgument,
      "this hub hands out no storage credentials: finish a model with multipart_upload and a dataset with "
      "file_upload_complete");
}

Reply sharing(const Context&, const Call&) {
  return base::fail(base::Code::kUnimplemented, "this hub does not offer sharing yet");
}

}  // namespace slipway::hub::server::internal
