#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>

#include "base/error.hpp"

namespace slipway::worker {

struct AgentSettings {
  std::string hub_url;
  std::string token;
  std::string name;                   ///< empty: the host's name
  std::filesystem::path work_folder;  ///< job folders are made below it
  std::filesystem::path program;      ///< this executable
  std::chrono::seconds job_time{30 * 60};
  std::uint64_t job_memory_bytes = 0;  ///< 0: the machine's share for jobs (budgets.hpp)
};

/// Offers this machine to a hub until `stop`: registers, then takes jobs with one slot for users' jobs and one for
/// inspections. Each job runs in a process of its own in the sandbox; what the hub holds is never touched. Says on
/// standard output, in one line, when it is registered: "Slipway agent registered: NAME OF ITS DEVICE". After `stop`
/// the processes of its jobs are killed and the jobs returned to the hub, which gives them to the next agent at
/// once.
/// @return nothing after `stop`
/// @error kUnauthenticated, kPermissionDenied: the hub refuses the token; kUnavailable: ONNX Runtime is missing here;
///        kFailedPrecondition: another agent uses the work folder
[[nodiscard]] base::Result<void> run_agent(const AgentSettings& settings, std::stop_token stop);

}  // namespace slipway::worker
