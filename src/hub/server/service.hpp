#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/error.hpp"
#include "hub/domain/hub.hpp"
#include "hub/protocol/agent_messages.hpp"
#include "hub/protocol/query.hpp"
#include "hub/protocol/routes.hpp"
#include "hub/server/health.hpp"
#include "hub/server/http.hpp"
#include "hub/server/sign_in_limit.hpp"
#include "hub/server/signed_links.hpp"

namespace slipway::hub::server {

struct ServiceSettings {
  std::string public_url;  ///< "https://hub.example"; empty: built from each request's Host header
  std::uint64_t message_limit_bytes = protocol::agent::kLargestMessageBytes;
  std::chrono::milliseconds inspection_patience{10'000};  ///< a submission waits so long for inspections
  std::chrono::milliseconds lease_patience{30'000};       ///< an agent waits so long for work
};

/// A request that has been let in: who asks, and for what.
struct Call {
  Request request;
  protocol::RouteMatch match;
  protocol::Query query;
  domain::Actor actor;
  std::string base_url;  ///< "http://host:port", no slash at the end
};

/// Where the body of an upload goes as it arrives.
/// @thread belongs to one thread at a time
class BodySink {
 public:
  virtual ~BodySink() = default;
  [[nodiscard]] virtual base::Result<void> write(std::span<const std::byte> bytes) = 0;
  /// The whole body has been written. The reply says so only once the bytes are durable.
  [[nodiscard]] virtual base::Result<Response> finish() = 0;
};

/// Answers requests by asking the hub. Knows HTTP's words, but not its library; holds no state of a request, only the
/// count of failed sign-ins.
/// @thread safe from any thread; begin() and answer() block for as long as the stores take
class Service {
 public:
  Service(domain::Hub& hub, const SignedLinks& links, const Health& health, ServiceSettings settings);

  /// What to do with a request once its header is there.
  struct Plan {
    enum class Body { kWhole, kStreamed } body = Body::kWhole;
    Call call;
    std::chrono::milliseconds patience{0};  ///< how long answer() may be asked again
    std::unique_ptr<BodySink> sink;         ///< streamed bodies
  };
  /// Authenticates and checks what the header says, before any body is read.
  /// @param match           of the request's method and path
  /// @param content_length  nothing when the request does not say
  /// @return a plan, or the reply that refuses the request
  [[nodiscard]] std::expected<Plan, Response> begin(Request request, protocol::RouteMatch match,
                                                    std::optional<std::uint64_t> content_length);

  /// Answers a call whose body (if any) is in Call::request. Nothing: ask again after a change of the hub.
  /// @param is_last  an answer must be given now
  [[nodiscard]] std::optional<Response> answer(const Call& call, bool is_last);

  /// The reply that tells of an error in the form its route's client understands.
  [[nodiscard]] Response refusal(const Request& request, const base::Error& error) const;

  /// The reply to a message that is larger than the limit. @param size_bytes  nothing: it came without saying
  [[nodiscard]] Response refusal_of_size(const Request& request, std::optional<std::uint64_t> size_bytes) const;

  [[nodiscard]] const ServiceSettings& settings() const { return settings_; }
  [[nodiscard]] const base::Clock& clock() const { return hub_.clock(); }
  [[nodiscard]] base::IdSource& ids() const { return hub_.ids(); }

 private:
  [[nodiscard]] std::optional<Response> refuse_access(Call& call, const protocol::RouteMatch& match);
  [[nodiscard]] base::Result<std::unique_ptr<BodySink>> open_sink(const Call& call,
                                                                  std::optional<std::uint64_t> content_length);

  domain::Hub& hub_;
  const SignedLinks& links_;
  const Health& health_;
  ServiceSettings settings_;
  SignInLimit failed_sign_ins_;
};

}  // namespace slipway::hub::server
