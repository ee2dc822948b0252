#pragma once

#include <filesystem>
#include <mutex>
#include <stop_token>
#include <string>
#include <vector>

#include "apps/hub_worker/job_launcher.hpp"
#include "hub/client/agent_client.hpp"

namespace slipway::worker {

inline constexpr std::string_view kJobFolderPrefix = "job-";

/// The agent's standing with the hub, shared by its slots.
/// @thread safe
class Membership {
 public:
  explicit Membership(hub::protocol::agent::Registration registration) : registration_(std::move(registration)) {}

  /// The current id, after registering unless another slot has done so since `known` was current. A hub forgets its
  /// agents when it starts again.
  [[nodiscard]] base::Result<std::string> join(hub::client::AgentClient& client, const std::string& known,
                                               std::stop_token stop);

  /// Hands what the agent's slots hold back to the hub. Call when they have ended and their processes are gone.
  void leave(hub::client::AgentClient& client);

 private:
  std::mutex mutex_;
  const hub::protocol::agent::Registration registration_;
  std::string agent_id_;
};

struct SlotSettings {
  std::string hub_url, token;
  std::filesystem::path program;
  runtime::LibraryPaths libraries;
  std::filesystem::path work_folder;
  JobLimits limits;
};

/// Takes jobs of some kinds, one after the other, until `stop`.
/// @error kUnauthenticated, kPermissionDenied: the hub refuses the token
[[nodiscard]] base::Result<void> run_slot(const SlotSettings& settings, const std::vector<hub::domain::JobKind>& kinds,
                                          Membership& membership, std::stop_token stop);

}  // namespace slipway::worker
