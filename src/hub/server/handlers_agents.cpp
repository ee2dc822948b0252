#include <fmt/format.h>

#include "hub/protocol/agent_messages.hpp"
#include "hub/protocol/transfers.hpp"
#include "hub/server/internal/handlers.hpp"

namespace slipway::hub::server::internal {
namespace {

namespace agent = protocol::agent;

// As long as the uploads of results: a transfer over a slow line goes on where it broke.
constexpr std::chrono::hours kInputLinkLifetime{24};

/// The files of a job's in/ folder, each with an address that needs no token.
std::vector<agent::InputFile> inputs_of(const Context& context, const Call& call, const domain::JobSpec& spec) {
  std::vector<agent::InputFile> inputs;
  const auto add = [&](const std::string& name, const domain::Blob& blob) {
    if (name.empty()) return;
    inputs.push_back({.name = name,
                      .url = fmt::format("{}/assets/download/{}", call.base_url,
                                         context.links.sign({.blob = blob, .filename = name}, kInputLinkLifetime)),
                      .sha256 = blob.sha256,
                      .size_bytes = blob.size_bytes});
  };
  for (const domain::JobSpec::InputModel& input : spec.models) {
    add(input.file, input.model.content);
    for (const auto& [key, name] : input.companion_files) add(name, input.model.companions.at(key).content);
  }
  add(spec.dataset_file, spec.dataset.content);
  return inputs;
}

domain::ResultFile result_file(const agent::ResultFile& file) {
  return {.name = file.name, .upload_id = file.upload_id, .etags = file.etags};
}

}  // namespace

Reply agent_register(const Context& context, const Call& call) {
  SLIPWAY_ASSIGN(auto request, agent::decode<agent::Registration>(call.request.body));
  domain::AgentRegistration registration{.name = std::move(request.name),
                                         .instance = std::move(request.instance),
                                         .successor_of = std::move(request.successor_of),
                                         .devices = {},
                                         .frameworks = std::move(request.frameworks)};
  for (const std::string& document : request.device_documents) {
    SLIPWAY_ASSIGN(domain::Device device, domain::device_from_document(document));
    registration.devices.push_back(std::move(device));
  }
  SLIPWAY_ASSIGN(const std::string id, context.hub.agents.register_agent(call.actor, registration));
  return message(agent::encode(agent::Registered{.agent_id = id}));
}

LaterReply agent_lease(const Context& context, const Call& call, bool is_last) {
  SLIPWAY_ASSIGN(const auto request, agent::decode<agent::LeaseRequest>(call.request.body));
  SLIPWAY_ASSIGN(auto spec, context.hub.agents.lease(call.actor, request.agent_id, request.kinds));
  if (!spec) return is_last ? std::optional(message(agent::encode(agent::LeaseReply{}))) : std::nullopt;
  agent::LeaseReply reply{.job_id = spec->job.id,
                          .lease_token = spec->job.lease_token,
                          .lease_seconds = static_cast<std::uint32_t>(context.hub.settings().lease_duration.count()),
                          .spec_document = {},
                          .inputs = inputs_of(context, call, *spec)};
  // The document lies in the job folder, where a stranger's model runs: the token stays with the agent.
  spec->job.lease_token.clear();
  reply.spec_document = domain::to_document(*spec);
  return std::optional(message(agent::encode(reply)));
}

Reply agent_leave(const Context& context, const Call& call) {
  SLIPWAY_ASSIGN(const auto request, agent::decode<agent::LeaveRequest>(call.request.body));
  SLIPWAY_TRY(context.hub.agents.leave(call.actor, request.agent_id));
  return message({});
}

Reply agent_renew(const Context& context, const Call& call) {
  SLIPWAY_ASSIGN(const auto request, agent::decode<agent::RenewRequest>(call.request.body));
  SLIPWAY_TRY(context.hub.agents.renew(call.actor, id_of(call), request.lease_token));
  return message(agent::encode(
      agent::RenewReply{.lease_seconds = static_cast<std::uint32_t>(context.hub.settings().lease_duration.count())}));
}

Reply agent_log(const Context& context, const Call& call) {
  SLIPWAY_ASSIGN(const auto request, agent::decode<agent::LogLines>(call.request.body));
  SLIPWAY_TRY(context.hub.agents.append_log(call.actor, id_of(call), request.lease_token, request.text));
  return message({});
}

Reply agent_blob(const Context& context, const Call& call) {
  SLIPWAY_ASSIGN(const auto request, agent::decode<agent::BlobRequest>(call.request.body));
  SLIPWAY_ASSIGN(const domain::Upload upload, context.hub.agents.plan_result_upload(
                                                  call.actor, id_of(call), request.lease_token, request.size_bytes));
  agent::BlobPlan plan{.upload_id = upload.id, .urls = {}, .part_size_bytes = upload.part_size_bytes};
  for (std::uint32_t part = 0; part < upload.part_count; ++part) {
    plan.urls.push_back(fmt::format("{}/assets/upload/{}/{}", call.base_url, upload.id, part));
  }
  return message(agent::encode(plan));
}

Reply agent_complete(const Context& context, const Call& call) {
  SLIPWAY_ASSIGN(auto request, agent::decode<agent::CompleteRequest>(call.request.body));
  if (request.outcome_file) {
    SLIPWAY_ASSIGN(request.outcome_document,
                   context.hub.agents.result_text(call.actor, id_of(call), request.lease_token,
                                                  result_file(*request.outcome_file), agent::kLargestOutcomeBytes));
  }
  std::vector<domain::ResultFile> files;
  for (const agent::ResultFile& file : request.files) {
    files.push_back(result_file(file));
  }
  SLIPWAY_TRY(
      context.hub.agents.complete(call.actor, id_of(call), request.lease_token, request.outcome_document, files));
  return message({});
}

}  // namespace slipway::hub::server::internal
