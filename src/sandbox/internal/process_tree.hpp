#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <vector>

#include <sys/types.h>

namespace slipway::sandbox::internal {

/// What a set of processes holds.
struct TreeUsage {
  std::uint64_t memory_bytes = 0;  ///< anonymous + shared memory; pages of files do not count, the kernel may drop them
  std::chrono::milliseconds cpu_time{0};  ///< user and system, with children that were waited for
  int processes = 0;
};

/// A process and everything that descends from it, as /proc tells it now.
[[nodiscard]] std::vector<pid_t> tree_of(pid_t root);
/// The members of a process group. Costs a look at every process of the machine.
[[nodiscard]] std::vector<pid_t> group_of(pid_t leader);
[[nodiscard]] TreeUsage usage_of(const std::vector<pid_t>& processes);

/// Bytes allocated below a folder, links not followed.
[[nodiscard]] std::uint64_t disk_usage_of(const std::filesystem::path& folder);

}  // namespace slipway::sandbox::internal
