#include "hub/client/agent_client.hpp"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <utility>

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
constexpr int kPartialContent = 206;
constexpr seconds kPartStallLimit{120};  // the hub makes a part durable before it answers

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
  const base::Reason reason = base::reason_of_name(reply.reason);
  // Where the hub says what lies behind it, the status is for others.
  return {reason != base::Reason::kNone ? base::code_of(reason) : code_of(reply.status),
          fmt::format("the hub answered {} to {}: {}", reply.status, url, detail_of(reply)), reason};
}

/// An input while it arrives, over as many connections as it takes.
class ArrivingInput {
 public:
  ArrivingInput(const agent::InputFile& input, std::filesystem::path to) : input_(input), to_(std::move(to)) {
    start_anew();
  }

  [[nodiscard]] std::uint64_t size_bytes() const { return size_bytes_; }

  void start_anew() {
    file_ = std::ofstream(to_, std::ios::binary | std::ios::trunc);
    errno_ = file_.good() ? 0 : errno;
    hash_ = base::Sha256();
    size_bytes_ = 0;
  }

  bool append(std::string_view piece) {
    size_bytes_ += piece.size();
    hash_.update(piece);
    file_.write(piece.data(), static_cast<std::streamsize>(piece.size()));
    if (!file_.good() && errno_ == 0) errno_ = errno;
    return file_.good() && size_bytes_ <= input_.size_bytes;
  }

  /// Whether it is here whole. What cannot be gone on with is thrown away.
  base::Result<void> check(const base::Result<Reply>& reply) {
    if (!file_.flush()) {
      return std::unexpected(base::errno_error(errno_ != 0 ? errno_ : errno, fmt::format("write {}", to_.string())));
    }
    if (size_bytes_ == input_.size_bytes) {
      const auto found = std::exchange(hash_, base::Sha256()).hex();
      if (found == input_.sha256) return {};
      start_anew();
      return fail(Code::kDataLoss, "input {} arrived with SHA-256 {}, expected {}", input_.name, found, input_.sha256);
    }
    if (size_bytes_ > input_.size_bytes) {
      start_anew();
      return fail(Code::kDataLoss, "input {} has more than the {} bytes that were announced", input_.name,
                  input_.size_bytes);
    }
    if (!reply) return std::unexpected(reply.error().with("fetch input " + input_.name));
    if (reply->status / 100 != 2) return std::unexpected(refusal(*reply, "fetch input " + input_.name));
    const auto arrived = size_bytes_;
    start_anew();
    return fail(Code::kDataLoss, "input {} arrived with {} of {} bytes", input_.name, arrived, input_.size_bytes);
  }

 private:
  const agent::InputFile& input_;
  const std::filesystem::path to_;
  std::ofstream file_;
  base::Sha256 hash_;
  std::uint64_t size_bytes_ = 0;
  int errno_ = 0;  ///< of the write that failed first
};

bool may_pass(const base::Error& error) {
  return error.code == Code::kUnavailable || error.code == Code::kDeadlineExceeded;
}

}  // namespace

HubAccess over_http(std::string url, std::string token, const base::Clock& clock, RetryPolicy policy) {
  return {.url = std::move(url),
          .token = std::move(token),
          .clock = clock,
          .connect = [] { return std::make_unique<HttpConnection>(); },
          .policy = policy};
}

AgentClient::AgentClient(HubAccess hub) : hub_(std::move(hub)), connection_(hub_.connect()) {
  while (hub_.url.ends_with('/')) hub_.url.pop_back();
}

std::string AgentClient::absolute(const std::string& url) const {
  return url.starts_with('/') ? hub_.url + url : url;
}

base::Result<Reply> AgentClient::send_once(const Request& request, const std::stop_token& stop) {
  // A transfer's URL is a secret: it grants access by itself.
  const std::string shown = request.authorization.empty() ? "a transfer" : request.url;
  auto reply = connection_->send(request, stop);
  if (!reply) return std::unexpected(reply.error().with(shown));
  if (reply->status / 100 != 2) return std::unexpected(refusal(*reply, shown));
  return reply;
}

base::Result<Reply> AgentClient::send_until_answered(Request request, const std::stop_token& stop) {
  Retries retries(hub_.policy, hub_.clock);
  if (request.upload != nullptr) request.sent = [&](std::uint64_t size_bytes) { retries.reached(size_bytes); };
  for (;;) {
    auto reply = send_once(request, stop);
    if (reply || !may_pass(reply.error()) || !retries.wait(stop)) return reply;
  }
}

base::Result<Reply> AgentClient::post(const std::string& path, std::string_view body, milliseconds time_limit,
                                      bool is_retried, const std::stop_token& stop) {
  Request request;
  request.method = "POST";
  request.url = hub_.url + path;
  request.authorization = "token " + hub_.token;
  request.content_type = "application/x-protobuf";
  request.body = body;
  request.time_limit = time_limit;
  request.stall_limit = std::max(seconds(30), std::chrono::duration_cast<seconds>(time_limit));
  return is_retried ? send_until_answered(std::move(request), stop) : send_once(request, stop);
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

base::Result<void> AgentClient::fetch(const agent::InputFile& input, const std::filesystem::path& to,
                                      std::stop_token stop) {
  ArrivingInput file(input, to);
  Retries retries(hub_.policy, hub_.clock);
  for (int losses = 0;;) {
    Request request;
    request.url = absolute(input.url);
    request.range_begin = file.size_bytes();
    bool is_first = true;
    request.sink = [&](int status, std::string_view piece) {
      if (std::exchange(is_first, false) && status != kPartialContent) file.start_anew();  // the server takes no ranges
      const bool is_kept = file.append(piece);
      retries.reached(file.size_bytes());
      return is_kept;
    };
    const auto reply = connection_->send(request, stop);
    auto outcome = file.check(reply);
    if (outcome) return outcome;
    const bool is_lost = outcome.error().code == Code::kDataLoss;
    losses += is_lost ? 1 : 0;
    if (is_lost ? losses > 1 : !may_pass(outcome.error())) return outcome;
    if (!retries.wait(stop)) return outcome;
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
    request.stall_limit = kPartStallLimit;
    SLIPWAY_ASSIGN(auto put, send_until_answered(std::move(request), stop));
    if (put.etag.empty()) return fail(Code::kInternal, "the hub gave no ETag for part {} of {}", index, name);
    result.etags.push_back(std::move(put.etag));
    offset += part.size_bytes;
  }
  return result;
}

base::Result<void> AgentClient::complete(const std::string& job_id, const agent::CompleteRequest& request,
                                         std::stop_token stop) {
  const std::string path = fmt::format("/agent/v1/jobs/{}/complete/", job_id);
  for (;;) {
    const auto reply = post(path, encode(request), kUsualLimit, true, stop);
    if (reply) return {};
    // The end is known, so it waits for the hub to have room for it, as long as the lease holds.
    if (!reply.error().is_about_writing() || stop.stop_requested()) return std::unexpected(reply.error());
    hub_.clock.pause(hub_.policy.longest_pause, stop);
  }
}

}  // namespace slipway::hub::client
