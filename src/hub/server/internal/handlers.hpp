#pragma once

#include <optional>

#include "hub/protocol/jobs.hpp"
#include "hub/server/service.hpp"

/// What the routes do. Each function answers one route; errors become replies in one place (Service).
namespace slipway::hub::server::internal {

/// What every handler may use.
struct Context {
  domain::Hub& hub;
  const SignedLinks& links;
  const Health& health;
  const ServiceSettings& settings;
  SignInLimit& failed_sign_ins;
};

using Reply = base::Result<Response>;
/// Of handlers that may wait: nothing means "not yet".
using LaterReply = base::Result<std::optional<Response>>;

/// A message of the client's or agents' API.
[[nodiscard]] Response message(std::string bytes);
[[nodiscard]] Response json(std::string text);

/// The id in the path: /models/{id}.
[[nodiscard]] inline const std::string& id_of(const Call& call) {
  return call.match.parameters.at(0);
}

/// The address of a download, absolute (for clients) or a path (for the page).
[[nodiscard]] std::string download_path(const Context& context, const domain::Blob& blob, const std::string& filename);
[[nodiscard]] std::string download_url(const Context& context, const Call& call, const domain::Download& file);

// Users, devices, models, datasets: handlers_uploads.cpp
[[nodiscard]] Reply user(const Context& context, const Call& call);
[[nodiscard]] Reply login(const Context& context, const Call& call);
[[nodiscard]] Reply devices(const Context& context, const Call& call);
[[nodiscard]] Reply frameworks(const Context& context, const Call& call);
[[nodiscard]] Reply create_model(const Context& context, const Call& call);
[[nodiscard]] Reply models(const Context& context, const Call& call);
[[nodiscard]] Reply model(const Context& context, const Call& call);
[[nodiscard]] Reply update_model(const Context& context, const Call& call);
[[nodiscard]] Reply model_upload_plan(const Context& context, const Call& call);
[[nodiscard]] Reply model_upload_complete(const Context& context, const Call& call);
[[nodiscard]] Reply model_download(const Context& context, const Call& call);
[[nodiscard]] Reply create_dataset(const Context& context, const Call& call);
[[nodiscard]] Reply datasets(const Context& context, const Call& call);
[[nodiscard]] Reply dataset(const Context& context, const Call& call);
[[nodiscard]] Reply update_dataset(const Context& context, const Call& call);
[[nodiscard]] Reply dataset_upload_plan(const Context& context, const Call& call);
[[nodiscard]] Reply dataset_download(const Context& context, const Call& call);
[[nodiscard]] Reply credentials_complete(const Context& context, const Call& call);
[[nodiscard]] Reply model_report(const Context& context, const Call& call);
[[nodiscard]] Reply dataset_report(const Context& context, const Call& call);
[[nodiscard]] Reply recent_models(const Context& context, const Call& call);
[[nodiscard]] Reply recent_datasets(const Context& context, const Call& call);
[[nodiscard]] Reply sharing(const Context& context, const Call& call);

// Jobs: handlers_jobs.cpp
[[nodiscard]] LaterReply submit_job(const Context& context, const Call& call, bool is_last);
[[nodiscard]] Reply jobs(const Context& context, const Call& call);
[[nodiscard]] Reply job_summaries(const Context& context, const Call& call);
[[nodiscard]] Reply job(const Context& context, const Call& call);
[[nodiscard]] Reply update_job(const Context& context, const Call& call);
[[nodiscard]] Reply job_result(const Context& context, const Call& call);
[[nodiscard]] Reply compiled_model_download(const Context& context, const Call& call);
[[nodiscard]] Reply artifacts(const Context& context, const Call& call);
[[nodiscard]] Reply job_report(const Context& context, const Call& call);
[[nodiscard]] Reply job_log(const Context& context, const Call& call);
[[nodiscard]] Reply recent_jobs(const Context& context, const Call& call);

// Agents: handlers_agents.cpp
[[nodiscard]] Reply agent_register(const Context& context, const Call& call);
[[nodiscard]] LaterReply agent_lease(const Context& context, const Call& call, bool is_last);
[[nodiscard]] Reply agent_leave(const Context& context, const Call& call);
[[nodiscard]] Reply agent_renew(const Context& context, const Call& call);
[[nodiscard]] Reply agent_log(const Context& context, const Call& call);
[[nodiscard]] Reply agent_blob(const Context& context, const Call& call);
[[nodiscard]] Reply agent_complete(const Context& context, const Call& call);

// Transfers: handlers_assets.cpp
[[nodiscard]] base::Result<std::unique_ptr<BodySink>> open_part(const Context& context, const Call& call,
                                                                std::optional<std::uint64_t> content_length);
[[nodiscard]] base::Result<std::unique_ptr<BodySink>> open_form(const Context& context, const Call& call,
                                                                std::optional<std::uint64_t> content_length);
[[nodiscard]] Reply asset_download(const Context& context, const Call& call);

// Pages: handlers_pages.cpp
[[nodiscard]] Reply home(const Context& context, const Call& call);
[[nodiscard]] Reply list_page(const Context& context, const Call& call);
[[nodiscard]] Reply job_page(const Context& context, const Call& call);
[[nodiscard]] Reply model_page(const Context& context, const Call& call);
[[nodiscard]] Reply dataset_page(const Context& context, const Call& call);
[[nodiscard]] Reply sign_in_page(const Context& context, const Call& call);
[[nodiscard]] Reply sign_in(const Context& context, const Call& call);
[[nodiscard]] Reply sign_out(const Context& context, const Call& call);
[[nodiscard]] Reply web_file(const Context& context, const Call& call);
[[nodiscard]] Reply health(const Context& context, const Call& call);
/// What someone is told who tried too many wrong tokens.
[[nodiscard]] std::string too_many_failures(std::chrono::seconds wait);
/// The friendly page behind a wrong address.
[[nodiscard]] Response not_found_page();
/// The session cookie in a Cookie header; empty when there is none.
[[nodiscard]] std::string session_cookie(std::string_view header);

}  // namespace slipway::hub::server::internal
