#include "hub/server/service.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "hub/domain/shortened.hpp"
#include "hub/protocol/http_status.hpp"
#include "hub/server/administration.hpp"
#include "hub/server/internal/handlers.hpp"

namespace slipway::hub::server {
namespace {

using protocol::Access;
using protocol::Route;

constexpr std::string_view kScheme = "token ";
/// A refusal may repeat what was sent, which may be as long as a message.
constexpr std::size_t kLongestDetailBytes = 4096;

/// The token in an Authorization header of the form "token …"; empty when there is none.
std::string_view token_of(std::string_view header) {
  const bool has_scheme =
      header.size() > kScheme.size() && std::ranges::equal(header.substr(0, kScheme.size()), kScheme,
                                                           [](char a, char b) { return (a | 0x20) == (b | 0x20); });
  return has_scheme ? header.substr(kScheme.size()) : std::string_view();
}

/// A Host header is copied into links, so it may hold nothing but a name or address and a port.
bool is_plain_host(std::string_view host) {
  return !host.empty() && host.size() <= 255 && std::ranges::all_of(host, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
           c == ':' || c == '[' || c == ']' || c == '_';
  });
}

bool is_asset_path(std::string_view path) {
  return path.starts_with("/assets/");
}

bool is_streamed(Route route) {
  return route == Route::kAssetPart || route == Route::kAssetForm;
}

/// Pages are read by people, everything else by programs.
bool is_page_path(std::string_view path) {
  return !protocol::is_api_path(path) && !is_asset_path(path) && path != "/healthz" && !path.starts_with("/web/");
}

std::string without_markup(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '<' || c == '>' || c == '&') {
      result += c == '<' ? "(" : c == '>' ? ")" : "+";
    } else {
      result += c;
    }
  }
  return result;
}

Response error_response(int status, std::string_view detail) {
  Response response;
  response.status = status;
  response.content_type = "application/json";
  response.body = protocol::error_body(detail);
  return response;
}

internal::LaterReply administered(domain::Hub& hub, const Call& call) {
  SLIPWAY_ASSIGN(std::string answer, administer(hub, call.match, call.request.body));
  return internal::json(std::move(answer));
}

}  // namespace

Service::Service(domain::Hub& hub, const SignedLinks& links, const Health& health, ServiceSettings settings)
    : hub_(hub), links_(links), health_(health), settings_(std::move(settings)) {}

Response Service::refusal(const Request& request, const base::Error& error) const {
  const bool is_asset = is_asset_path(request.path);
  const bool is_official = is_asset || request.path.starts_with("/api/");
  const int status =
      protocol::http_status(error, is_official ? protocol::Reader::kOfficialClient : protocol::Reader::kOthers);
  std::string detail = domain::shortened(error.message, kLongestDetailBytes);
  if (error.is_about_writing()) {
    spdlog::error("{} could not be stored: {}", request.id, error.message);
    detail = protocol::words_for_full_store(error.reason);
  }
  if (status == 500) {
    spdlog::error("{} failed: {}", request.id, error.message);
    detail = fmt::format("the hub could not do this; its log says why (request {})", request.id);
  }
  if (is_page_path(request.path) && status == 404) return internal::not_found_page();
  std::vector<std::pair<std::string, std::string>> headers;
  if (error.reason != base::Reason::kNone) headers.emplace_back(protocol::kReasonHeader, reason_name(error.reason));
  if (is_asset) {
    // Of a failed transfer the client shows only what stands in an object store's form.
    Response response;
    response.status = status;
    response.headers = std::move(headers);
    response.content_type = "application/xml";
    response.body = fmt::format("<Error><Code>{}</Code><Message>{}</Message></Error>", base::code_name(error.code),
                                without_markup(detail));
    return response;
  }
  Response response = error_response(status, detail);
  response.headers = std::move(headers);
  if (status == 401) response.headers.emplace_back("WWW-Authenticate", "token");
  if (status == 503) response.headers.emplace_back("Retry-After", "1");
  return response;
}

Response Service::refusal_of_size(const Request& request, std::optional<std::uint64_t> size_bytes) const {
  const std::string found = size_bytes ? std::to_string(*size_bytes) : "more";
  return refusal(
      request, {base::Code::kResourceExhausted,
                fmt::format("expected a message of at most {} bytes, found {}", settings_.message_limit_bytes, found)});
}

std::optional<Response> Service::refuse_access(Call& call, const protocol::RouteMatch& match) {
  const bool is_found = match.kind == protocol::RouteMatch::Kind::kFound;
  const bool needs_token = protocol::is_api_path(call.request.path) && !(is_found && match.access == Access::kAnyone);
  if (!needs_token) return std::nullopt;
  const auto refused = [&](base::Code code, std::string_view text) {
    return refusal(call.request, base::Error{code, std::string(text)});
  };

  const std::string_view token = token_of(call.request.authorization);
  base::Result<domain::Actor> actor = base::fail(base::Code::kUnauthenticated, "no token");
  if (!token.empty()) {
    actor = hub_.accounts.authenticate(token);
  } else if (is_found && match.access == Access::kUserTokenOrCookie) {
    actor = hub_.accounts.authenticate_web_session(internal::session_cookie(call.request.cookie));
  }
  if (!actor) {
    if (actor.error().code != base::Code::kUnauthenticated) return refusal(call.request, actor.error());
    // Only what was given and wrong counts; whoever sends nothing is not guessing.
    const bool is_attempt = !token.empty() || !internal::session_cookie(call.request.cookie).empty();
    if (is_attempt) {
      if (const auto wait = failed_sign_ins_.note_failure(call.request.remote_address, hub_.clock().instant())) {
        Response response = error_response(429, internal::too_many_failures(*wait));
        response.headers.emplace_back("Retry-After", std::to_string(wait->count()));
        response.ends_connection = true;
        return response;
      }
    }
    return refused(base::Code::kUnauthenticated, "expected a valid token in the header \"Authorization: token …\"");
  }
  const bool is_agent_path = call.request.path.starts_with("/agent/");
  if (is_agent_path && actor->scope != domain::Scope::kAgent) {
    return refused(base::Code::kPermissionDenied, "this needs an agent's token, found a user's");
  }
  if (!is_agent_path && actor->scope != domain::Scope::kUser) {
    return refused(base::Code::kPermissionDenied, "this needs a user's token, found an agent's");
  }
  if (is_found && match.access == Access::kAdministratorToken && actor->user.role != domain::Role::kAdmin) {
    return refused(base::Code::kPermissionDenied, "this needs an administrator's token");
  }
  call.actor = std::move(*actor);
  return std::nullopt;
}

std::expected<Service::Plan, Response> Service::begin(Request request, protocol::RouteMatch match,
                                                      std::optional<std::uint64_t> content_length) {
  Plan plan;
  Call& call = plan.call;
  call.request = std::move(request);
  if (auto refused = refuse_access(call, match)) return std::unexpected(std::move(*refused));

  using Kind = protocol::RouteMatch::Kind;
  if (match.kind == Kind::kOptions) {
    Response response;
    response.content_type = "text/plain";
    response.headers.emplace_back("Allow", match.allowed_methods);
    return std::unexpected(std::move(response));
  }
  if (match.kind == Kind::kMethodNotAllowed) {
    Response response = error_response(405, fmt::format("expected one of the methods {}", match.allowed_methods));
    response.headers.emplace_back("Allow", match.allowed_methods);
    return std::unexpected(std::move(response));
  }
  if (match.kind == Kind::kNotFound) {
    return std::unexpected(
        refusal(call.request, {base::Code::kNotFound, "there is nothing at this address; see the API's paths"}));
  }
  call.match = std::move(match);

  auto query = protocol::Query::parse(call.request.query);
  if (!query) return std::unexpected(refusal(call.request, query.error()));
  call.query = std::move(*query);

  if (protocol::is_api_path(call.request.path)) {
    // A project that is named must be there, on every route: a list that overlooked it would show too much.
    std::vector<std::string> projects = call.query.all("project");
    projects.push_back(call.match.project_id);
    for (const std::string& project : projects) {
      const auto known = hub_.accounts.require_project(call.actor, project);
      if (!known) return std::unexpected(refusal(call.request, known.error()));
    }
  }

  const std::string& host = call.request.host;
  const bool needs_host = settings_.public_url.empty() && (!host.empty() || protocol::is_api_path(call.request.path));
  if (needs_host && !is_plain_host(host)) {
    return std::unexpected(
        refusal(call.request, {base::Code::kInvalidArgument, "the Host header is not a name or address with a port"}));
  }
  call.base_url = settings_.public_url.empty() ? fmt::format("http://{}", host) : settings_.public_url;

  if (is_streamed(call.match.route)) {
    auto sink = open_sink(call, content_length);
    if (!sink) return std::unexpected(refusal(call.request, sink.error()));
    plan.body = Plan::Body::kStreamed;
    plan.sink = std::move(*sink);
    return plan;
  }
  if (content_length && *content_length > settings_.message_limit_bytes) {
    return std::unexpected(refusal_of_size(call.request, content_length));
  }
  if (call.match.route == Route::kSubmitJob) plan.patience = settings_.inspection_patience;
  if (call.match.route == Route::kAgentLease) plan.patience = settings_.lease_patience;
  return plan;
}

base::Result<std::unique_ptr<BodySink>> Service::open_sink(const Call& call,
                                                           std::optional<std::uint64_t> content_length) {
  const internal::Context context{hub_, links_, health_, settings_, failed_sign_ins_};
  return call.match.route == Route::kAssetPart ? internal::open_part(context, call, content_length)
                                               : internal::open_form(context, call, content_length);
}

std::optional<Response> Service::answer(const Call& call, bool is_last) {
  const internal::Context context{hub_, links_, health_, settings_, failed_sign_ins_};
  const auto handle = [&]() -> internal::LaterReply {
    switch (call.match.route) {
      case Route::kUser:
        return internal::user(context, call);
      case Route::kLogin:
        return internal::login(context, call);
      case Route::kDevices:
        return internal::devices(context, call);
      case Route::kFrameworks:
        return internal::frameworks(context, call);
      case Route::kCreateModel:
        return internal::create_model(context, call);
      case Route::kModels:
        return internal::models(context, call);
      case Route::kModel:
        return internal::model(context, call);
      case Route::kUpdateModel:
        return internal::update_model(context, call);
      case Route::kModelUploadPlan:
        return internal::model_upload_plan(context, call);
      case Route::kModelUploadComplete:
        return internal::model_upload_complete(context, call);
      case Route::kModelDownload:
        return internal::model_download(context, call);
      case Route::kCreateDataset:
        return internal::create_dataset(context, call);
      case Route::kDatasets:
        return internal::datasets(context, call);
      case Route::kDataset:
        return internal::dataset(context, call);
      case Route::kUpdateDataset:
        return internal::update_dataset(context, call);
      case Route::kDatasetUploadPlan:
        return internal::dataset_upload_plan(context, call);
      case Route::kDatasetDownload:
        return internal::dataset_download(context, call);
      case Route::kSubmitJob:
        return internal::submit_job(context, call, is_last);
      case Route::kJobs:
        return internal::jobs(context, call);
      case Route::kJobSummaries:
        return internal::job_summaries(context, call);
      case Route::kJob:
        return internal::job(context, call);
      case Route::kUpdateJob:
        return internal::update_job(context, call);
      case Route::kJobResult:
        return internal::job_result(context, call);
      case Route::kCompiledModelDownload:
        return internal::compiled_model_download(context, call);
      case Route::kArtifacts:
        return internal::artifacts(context, call);
      case Route::kSharing:
        return internal::sharing(context, call);
      case Route::kCredentialsComplete:
        return internal::credentials_complete(context, call);
      case Route::kJobReport:
        return internal::job_report(context, call);
      case Route::kJobLog:
        return internal::job_log(context, call);
      case Route::kModelReport:
        return internal::model_report(context, call);
      case Route::kDatasetReport:
        return internal::dataset_report(context, call);
      case Route::kRecentJobs:
        return internal::recent_jobs(context, call);
      case Route::kRecentModels:
        return internal::recent_models(context, call);
      case Route::kRecentDatasets:
        return internal::recent_datasets(context, call);
      case Route::kAgentRegister:
        return internal::agent_register(context, call);
      case Route::kAgentLease:
        return internal::agent_lease(context, call, is_last);
      case Route::kAgentLeave:
        return internal::agent_leave(context, call);
      case Route::kAgentRenew:
        return internal::agent_renew(context, call);
      case Route::kAgentLog:
        return internal::agent_log(context, call);
      case Route::kAgentBlob:
        return internal::agent_blob(context, call);
      case Route::kAgentComplete:
        return internal::agent_complete(context, call);
      case Route::kAdminTokens:
      case Route::kAdminCreateToken:
      case Route::kAdminRevokeToken:
      case Route::kAdminCollect:
        return administered(hub_, call);
      case Route::kAssetPart:
      case Route::kAssetForm:
        break;  // streamed: answered by their sinks
      case Route::kAssetDownload:
        return internal::asset_download(context, call);
      case Route::kHome:
        return internal::home(context, call);
      case Route::kListPage:
        return internal::list_page(context, call);
      case Route::kJobPage:
        return internal::job_page(context, call);
      case Route::kModelPage:
        return internal::model_page(context, call);
      case Route::kDatasetPage:
        return internal::dataset_page(context, call);
      case Route::kSignInPage:
        return internal::sign_in_page(context, call);
      case Route::kSignIn:
        return internal::sign_in(context, call);
      case Route::kSignOut:
        return internal::sign_out(context, call);
      case Route::kWebFile:
        return internal::web_file(context, call);
      case Route::kHealth:
        return internal::health(context, call);
    }
    return base::fail(base::Code::kInternal, "the route has no handler");
  };
  internal::LaterReply reply = handle();
  if (!reply) return refusal(call.request, reply.error());
  return std::move(*reply);
}

namespace internal {

Response message(std::string bytes) {
  Response response;
  response.body = std::move(bytes);
  return response;
}

Response json(std::string text) {
  Response response;
  response.content_type = "application/json";
  response.headers.emplace_back("Cache-Control", "no-store");
  response.body = std::move(text);
  return response;
}

std::string download_path(const Context& context, const domain::Blob& blob, const std::string& filename) {
  return fmt::format("/assets/download/{}", context.links.sign({.blob = blob, .filename = filename}));
}

std::string download_url(const Context& context, const Call& call, const domain::Download& file) {
  return call.base_url + download_path(context, file.blob, file.filename);
}

}  // namespace internal
}  // namespace slipway::hub::server
