#pragma once

#include <condition_variable>
#include <filesystem>
#include <functional>
#include <mutex>
#include <stop_token>
#include <string>
#include <vector>

#include "hub/client/agent_client.hpp"
#include "hub/domain/document.hpp"

namespace slipway::worker {

inline constexpr std::string_view kJobFolderPrefix = "job-";

/// The agent's standing with the hub, shared by its slots.
/// @thread safe
class Membership {
 public:
  Membership(hub::protocol::agent::Registration registration, const base::Clock& clock)
      : registration_(std::move(registration)), clock_(clock) {}

  /// The current id, after registering unless another slot has done so since `known` was current. A hub forgets its
  /// agents when it starts again.
  [[nodiscard]] base::Result<std::string> join(hub::client::AgentClient& client, const std::string& known,
                                               std::stop_token stop);

  /// Returns what the agent's slots hold to the hub. Call when they have ended and their processes are gone.
  void leave(hub::client::AgentClient& client);

 private:
  const hub::protocol::agent::Registration registration_;
  const base::Clock& clock_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  bool is_joining_ = false;  ///< one slot asks the hub, and the others wait for its answer
  std::string agent_id_;
};

/// Executes the job in a folder with spec.json and in/ until it ends or is told to stop, and tells of it line by
/// line.
using ExecuteJob = std::function<hub::domain::JobOutcome(
    const std::filesystem::path& folder, const hub::domain::JobSpec& spec,
    const std::function<void(std::string_view)>& tell, const std::stop_token& stop)>;

/// Room for one job at a time.
struct SlotSettings {
  hub::client::HubAccess hub;
  std::vector<hub::domain::JobKind> kinds;  ///< that it takes
  ExecuteJob execute;
  std::filesystem::path work_folder;
  std::vector<std::filesystem::path> private_places;  ///< besides the work folder: not told of to strangers
};

/// Takes jobs, one after the other, until `stop`.
/// @error kUnauthenticated, kPermissionDenied: the hub refuses the token
[[nodiscard]] base::Result<void> run_slot(const SlotSettings& settings, Membership& membership, std::stop_token stop);

/// An agent's life: registers, works with all slots at once, and leaves after `stop`.
/// @param registered  called once, when the hub has taken the agent
/// @error kUnauthenticated, kPermissionDenied: the hub refuses the token; what it refuses of the registration
[[nodiscard]] base::Result<void> serve_hub(const hub::client::HubAccess& hub, const std::vector<SlotSettings>& slots,
                                           Membership& membership, const std::function<void()>& registered,
                                           std::stop_token stop);

}  // namespace slipway::worker
