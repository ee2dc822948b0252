#include "hub/client/agent_client.hpp"

#include <algorithm>
#include <condition_variable>
#include <fstream>
#include <mutex>

#include <nlohmann/json.hpp>

#include "base/files.hpp"
#include "base/hash.hpp"

namespace slipway::hub::client {
namespace {

namespace agent = protocol::agent;
using base::Code;
using base::fail;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kLeaseLimit{40'000};  // the hub answers after 30 s
constexpr milliseconds kQuickLimit{5'000};
constexpr milliseconds kLeaveLimit{2'000};
constexpr milliseconds kUsualLimit{30'000};

Code code_of(int status) {
  switch (status) {
    case 400:
      return Code::kInvalidArgument;
    case 401:
      return Code::kUnauthenticated;
    case 403:
      return Code::kPermissionDenied;
    case 404:
      return Code::kNotFound;
    case 409:
      return Code::kAborted;
    case 413:
      return Code::kResourceExhausted;
    case 429:
      return Code::kUnavailable;
    default:
      return status >= 500 ? Code::kUnavailable : Code::kUnknown;
  }
}

/// The words of a refusal: {"detail": "…"}, or the start of whatever came.
std::string detail_of(const Reply& reply) {
  const auto json = nlohmann::json::parse(reply.body, nullptr, false);
  if (json.is_object() && json.contains("detail") && json["detail"].is_string()) {
    return json["detail"].get<std::string>();
  }
  return reply.body.substr(0, 200);
}

base::Error refusal(const Reply& reply, std::string_view url) {
  return {code_of(reply.status), fmt::format("the hub answered {} to {}: {}", reply.status, url, detail_of(reply))};
}

bool may_pass(const base::Error& error) {
  return error.code == Code::kUnavailable || error.code == Code::kDeadlineExceeded;
}

/// Sleeps unless and until stop is asked for.
void pause(milliseconds time, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any wakes;
  std::unique_lock lock(mutex);
  wakes.wait_for(lock, stop, time, [] { return false; });
}

}  // namespace

AgentClient::AgentClient(std::string hub_url, std::string token, RetryPolicy policy)
    : hub_url_(std::move(hub_url)), token_(std::move(token)), policy_(policy) {
  while (hub_url_.ends_with('/')) hub_url_.pop_back();
}

std::string AgentClient::absolute(const std::string& url) const {
  return url.starts_with('/') ? hub_url_ + url : url;
}

base::Result<Reply> AgentClient::send_until_answered(const Request& request, bool is_retried,
                                                     const std::stop_token& stop) {
  const auto give_up = std::chrono::steady_clock::now() + policy_.total;
  milliseconds wait = policy_.first_pause;
  // A transfer's URL is a secret: it grants access by itself.
  const std::string shown = request.authorization.empty() ? "a transfer" : request.url;
  for (;;) {
    auto reply = connection_.send(request, stop);
    if (reply && reply->status / 100 == 2) return reply;
    const base::Error error = reply ? refusal(*reply, shown) : reply.error().with(shown);
    const bool is_over = std::chrono::steady_clock::now() + wait >= give_up;
    if (!is_retried || !may_pass(error) || is_over || stop.stop_requested()) return std::unexpected(error);
    pause(wait, stop);
    wait = std::min(2 * wait, policy_.longest_pause);
  }
}

base::Result<Reply> AgentClient::post(const std::string& path, std::string_view body, milliseconds time_limit,
                                      bool is_retried, const std::stop_token& stop) {
  Request request;
  request.method = "POST";
  request.url = hub_url_ + path;
  request.authorization = "token " + token_;
  request.content_type = "application/x-protobuf";
  request.body = body;
  request.time_limit = time_limit;
  request.stall_limit = std::max(seconds(30), std::chrono::duration_cast<seconds>(time_limit));
  return send_until_answered(request, is_retried, stop);
}

base::Result<std::string> AgentClient::register_agent(const agent::Registration& registration, std::stop_token stop) {
  SLIPWAY_ASSIGN(const auto reply, post("/agent/v1/register/", encode(registration), kUsualLimit, true, stop));
  SLIPWAY_ASSIGN(auto registered, agent::decode<agent::Registered>(reply.body));
  return std::move(registered.agent_id);
}

base::Result<std::optional<agent::LeaseReply>> AgentClient::lease(const std::string& agent_id,
                                                                  const std::vector<domain::JobKind>& kinds,
                                                                  std::stop_token stop) {
  const agent::LeaseRequest request{.agent_id = agent_id, .kinds = kinds};
  SLIPWAY_ASSIGN(const auto reply, post("/agent/v1/lease/", encode(request), kLeaseLimit, false, stop));
  SLIPWAY_ASSIGN(auto lease, agent::decode<agent::LeaseReply>(reply.body));
  if (lease.job_id.empty()) return std::optional<agent::LeaseReply>();
  return std::optional(std::move(lease));
}

base::Result<void> AgentClient::leave(const std::string& agent_id) {
  SLIPWAY_TRY(post("/agent/v1/leave/", encode(agent::LeaveRequest{agent_id}), kLeaveLimit, false, {}));
  return {};
}

base::Result<std::uint32_t> AgentClient::renew(const std::string& job_id, const std::string& lease_token) {
  SLIPWAY_ASSIGN(const auto reply, post(fmt::format("/agent/v1/jobs/{}/renew/", job_id),
                                        encode(agent::RenewRequest{lease_token}), kQuickLimit, false, {}));
  SLIPWAY_ASSIGN(const auto renewed, agent::decode<agent::RenewReply>(reply.body));
  return renewed.lease_seconds;
}

base::Result<void> AgentClient::append_log(const std::string& job_id, const std::string& lease_token,
                                           std::string_view text) {
  const agent::LogLines lines{.lease_token = lease_token, .text = std::string(text)};
  SLIPWAY_TRY(post(fmt::format("/agent/v1/jobs/{}/log/", job_id), encode(lines), kQuickLimit, false, {}));
  return {};
}

base::Result<void> AgentClient::fetch_once(const agent::InputFile& input, const std::filesystem::path& to,
                                           const std::stop_token& stop) {
  std::ofstream file(to, std::ios::binary | std::ios::trunc);
  if (!file) return std::unexpected(base::errno_error(errno, fmt::format("write {}", to.string())));
  base::Sha256 hash;
  std::uint64_t size_bytes = 0;
  Request request;
  request.url = absolute(input.url);
  request.sink = [&](std::string_view piece) {
    size_bytes += piece.size();
    hash.update(piece);
    file.write(piece.data(), static_cast<std::streamsize>(piece.size()));
    return file.good() && size_bytes <= input.size_bytes;
  };
  const auto reply = connection_.send(request, stop);
  file.close();
  if (!file) return fail(Code::kResourceExhausted, "writing {} failed: is the disk full?", to.string());
  if (size_bytes > input.size_bytes) {
    return fail(Code::kDataLoss, "input {} has more than the {} bytes that were announced", input.name,
                input.size_bytes);
  }
  if (!reply) return std::unexpected(reply.error().with("fetch input " + input.name));
  if (reply->status / 100 != 2) return std::unexpected(refusal(*reply, "fetch input " + input.name));
  if (size_bytes != input.size_bytes) {
    return fail(Code::kDataLoss, "input {} arrived with {} of {} bytes", input.name, size_bytes, input.size_bytes);
  }
  const auto found = hash.hex();
  if (found != input.sha256) {
    return fail(Code::kDataLoss, "input {} arrived with SHA-256 {}, expected {}", input.name, found, input.sha256);
  }
  return {};
}

base::Result<void> AgentClient::fetch(const agent::InputFile& input, const std::filesystem::path& to,
                                      std::stop_token stop) {
  const auto give_up = std::chrono::steady_clock::now() + policy_.total;
  milliseconds wait = policy_.first_pause;
  for (int losses = 0;;) {
    const auto outcome = fetch_once(input, to, stop);
    if (outcome || stop.stop_requested()) return outcome;
    losses += outcome.error().code == Code::kDataLoss ? 1 : 0;
    const bool is_worth_it = may_pass(outcome.error()) || (losses == 1 && outcome.error().code == Code::kDataLoss);
    if (!is_worth_it || std::chrono::steady_clock::now() + wait >= give_up) return outcome;
    pause(wait, stop);
    wait = std::min(2 * wait, policy_.longest_pause);
  }
}

base::Result<agent::ResultFile> AgentClient::upload(const std::string& job_id, const std::string& lease_token,
                                                    const std::string& name, const std::filesystem::path& file,
                                                    std::stop_token stop) {
  std::error_code error;
  const std::uint64_t size_bytes = std::filesystem::file_size(file, error);
  if (error) return std::unexpected(base::errno_error(error.value(), fmt::format("read the result {}", name)));
  const agent::BlobRequest ask{.lease_token = lease_token, .size_bytes = size_bytes};
  SLIPWAY_ASSIGN(const auto reply,
                 post(fmt::format("/agent/v1/jobs/{}/blob/", job_id), encode(ask), kUsualLimit, true, stop));
  SLIPWAY_ASSIGN(const auto plan, agent::decode<agent::BlobPlan>(reply.body));
  agent::ResultFile result{.name = name, .upload_id = plan.upload_id, .etags = {}};
  std::uint64_t offset = 0;
  for (std::size_t index = 0; index < plan.urls.size(); ++index) {
    const bool is_last = index + 1 == plan.urls.size();
    const auto left = size_bytes - offset;
    const Request::FilePart part{file, offset, is_last ? left : std::min(left, plan.part_size_bytes)};
    Request request;
    request.method = "PUT";
    request.url = absolute(plan.urls[index]);
    request.upload = &part;
    SLIPWAY_ASSIGN(auto put, send_until_answered(request, true, stop));
    if (put.etag.empty()) return fail(Code::kInternal, "the hub gave no ETag for part {} of {}", index, name);
    result.etags.push_back(std::move(put.etag));
    offset += part.size_bytes;
  }
  return result;
}

base::Result<void> AgentClient::complete(const std::string& job_id, const agent::CompleteRequest& request,
                                         std::stop_token stop) {
  SLIPWAY_TRY(post(fmt::format("/agent/v1/jobs/{}/complete/", job_id), encode(request), kUsualLimit, true, stop));
  return {};
}

}  // namespace slipway::hub::client
