#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>

#include "apps/hub_worker/job_launcher.hpp"

namespace slipway::worker {

/// What a machine has for jobs when an agent starts.
struct MachineRoom {
  std::uint64_t memory_bytes = 0;     ///< all of it
  std::uint64_t free_disk_bytes = 0;  ///< below the work folder
};
[[nodiscard]] MachineRoom room_of_machine(const std::filesystem::path& work_folder);

/// What an agent's jobs may use: a user's job, and the inspection that may run beside it. Together they stay within
/// three quarters of the machine. Threads need no dividing: an inspection has one and loads no runtime.
struct SlotBudgets {
  JobLimits job, inspection;
};

/// @param job_memory_bytes  0: three parts of four; otherwise what a user's job may take, and the inspection has what
///                          is left, at most a third of it
[[nodiscard]] SlotBudgets divide(const MachineRoom& room, std::chrono::seconds job_time,
                                 std::uint64_t job_memory_bytes);

}  // namespace slipway::worker
