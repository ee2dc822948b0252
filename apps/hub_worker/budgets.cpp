#include "apps/hub_worker/budgets.hpp"

#include <algorithm>

#include <unistd.h>

namespace slipway::worker {
namespace {

constexpr std::chrono::seconds kInspectionTime{5 * 60};
constexpr std::uint64_t kLeastInspectionMemory = 256U << 20U;
constexpr std::uint64_t kMostDiskOfAJob = std::uint64_t{64} << 30U;

}  // namespace

MachineRoom room_of_machine(const std::filesystem::path& work_folder) {
  const auto pages = static_cast<std::uint64_t>(std::max(1L, ::sysconf(_SC_PHYS_PAGES)));
  std::error_code error;
  const auto disk = std::filesystem::space(work_folder, error);
  return {.memory_bytes = pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)),
          .free_disk_bytes = error ? kMostDiskOfAJob : disk.available};
}

SlotBudgets divide(const MachineRoom& room, std::chrono::seconds job_time, std::uint64_t job_memory_bytes) {
  const std::uint64_t memory = room.memory_bytes / 4 * 3, disk = room.free_disk_bytes / 4 * 3;
  SlotBudgets budgets;
  budgets.job.time = job_time;
  budgets.job.memory_bytes = job_memory_bytes != 0 ? job_memory_bytes : memory / 4 * 3;
  budgets.job.disk_bytes = std::clamp<std::uint64_t>(disk / 3 * 2, 1, kMostDiskOfAJob);
  budgets.inspection.time = std::min(job_time, kInspectionTime);
  const std::uint64_t left = memory - std::min(memory, budgets.job.memory_bytes);
  budgets.inspection.memory_bytes = std::max(std::min(left, budgets.job.memory_bytes / 3), kLeastInspectionMemory);
  budgets.inspection.disk_bytes = std::clamp<std::uint64_t>(disk / 3, 1, kMostDiskOfAJob);
  return budgets;
}

}  // namespace slipway::worker
