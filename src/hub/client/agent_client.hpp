#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "hub/client/http.hpp"
#include "hub/client/retries.hpp"
#include "hub/protocol/agent_messages.hpp"

namespace slipway::hub::client {

/// Where the hub is, how it is reached, and by which clock.
struct HubAccess {
  std::string url;  ///< "http://127.0.0.1:8400", without a path
  std::string token;
  const base::Clock& clock;  ///< outlives all that use it
  std::function<std::unique_ptr<Connection>()> connect;
  RetryPolicy policy{};
};

/// A hub over the network.
[[nodiscard]] HubAccess over_http(std::string url, std::string token, const base::Clock& clock,
                                  RetryPolicy policy = {});

/// The agent's side of the agent API (proto/slipway/agent.proto). Errors of every call: kUnavailable,
/// kDeadlineExceeded: the hub is away longer than the policy allows; kUnauthenticated, kPermissionDenied: the token is
/// not an agent's; kAborted: the lease was lost, the job belongs to someone else; kNotFound: the hub does not know the
/// agent or job; kCancelled: `stop`.
/// @thread one object belongs to one thread; its connection is kept open
class AgentClient {
 public:
  explicit AgentClient(HubAccess hub);

  [[nodiscard]] base::Result<std::string> register_agent(const protocol::agent::Registration& registration,
                                                         std::stop_token stop = {});

  /// Waits up to 30 s for work. Not tried again: the caller asks in a loop anyway.
  [[nodiscard]] base::Result<std::optional<protocol::agent::LeaseReply>> lease(
      const std::string& agent_id, const std::vector<domain::JobKind>& kinds, std::stop_token stop = {});

  /// Says that this agent ends; the hub gives what it holds to others. One attempt of at most 2 s: whoever ends an
  /// agent waits for it.
  [[nodiscard]] base::Result<void> leave(const std::string& agent_id);

  /// One attempt of at most 5 s: what counts is that the lease is renewed in time. @return seconds granted
  [[nodiscard]] base::Result<std::uint32_t> renew(const std::string& job_id, const std::string& lease_token);
  [[nodiscard]] base::Result<void> append_log(const std::string& job_id, const std::string& lease_token,
                                              std::string_view text);

  /// Streams an input to a file and checks its size and SHA-256. A transfer that breaks goes on where it was.
  /// @error kDataLoss: they differ, also the second time
  [[nodiscard]] base::Result<void> fetch(const protocol::agent::InputFile& input, const std::filesystem::path& to,
                                         std::stop_token stop = {});

  /// Streams a result file to the hub in parts.
  [[nodiscard]] base::Result<protocol::agent::ResultFile> upload(const std::string& job_id,
                                                                 const std::string& lease_token,
                                                                 const std::string& name,
                                                                 const std::filesystem::path& file,
                                                                 std::stop_token stop = {});

  [[nodiscard]] base::Result<void> complete(const std::string& job_id, const protocol::agent::CompleteRequest& request,
                                            std::stop_token stop = {});

 private:
  base::Result<Reply> post(const std::string& path, std::string_view body, std::chrono::milliseconds time_limit,
                           bool is_retried, const std::stop_token& stop);
  base::Result<Reply> send_once(const Request& request, const std::stop_token& stop);
  base::Result<Reply> send_until_answered(Request request, const std::stop_token& stop);
  [[nodiscard]] std::string absolute(const std::string& url) const;

  HubAccess hub_;
  std::unique_ptr<Connection> connection_;
};

}  // namespace slipway::hub::client
