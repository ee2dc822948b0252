#include "apps/hub_worker/budgets.hpp"

#include <gtest/gtest.h>

namespace slipway::worker {
namespace {

using std::chrono::minutes;

constexpr std::uint64_t kGb = std::uint64_t{1} << 30U;

TEST(Budgets, of_both_slots_together_stay_within_three_quarters_of_the_machine) {
  for (const std::uint64_t memory : {2 * kGb, 16 * kGb, 256 * kGb}) {
    for (const std::uint64_t disk : {kGb, 50 * kGb, 4000 * kGb}) {
      const auto budgets = divide({.memory_bytes = memory, .free_disk_bytes = disk}, minutes(30), 0);
      EXPECT_LE(budgets.job.memory_bytes + budgets.inspection.memory_bytes, memory / 4 * 3);
      EXPECT_LE(budgets.job.disk_bytes + budgets.inspection.disk_bytes, disk / 4 * 3);
      EXPECT_GT(budgets.job.memory_bytes, budgets.inspection.memory_bytes);
      EXPECT_GT(budgets.inspection.disk_bytes, 0U);
    }
  }
}

TEST(Budgets, give_a_job_what_it_is_said_to_have_and_an_inspection_what_is_left) {
  const MachineRoom room{.memory_bytes = 16 * kGb, .free_disk_bytes = 100 * kGb};
  const auto little = divide(room, minutes(30), 6 * kGb);
  EXPECT_EQ(little.job.memory_bytes, 6 * kGb);
  EXPECT_EQ(little.inspection.memory_bytes, 2 * kGb);
  const auto much = divide(room, minutes(30), 11 * kGb);
  EXPECT_EQ(much.job.memory_bytes, 11 * kGb);
  EXPECT_EQ(much.inspection.memory_bytes, 1 * kGb);
}

TEST(Budgets, hold_the_same_time_for_every_kind_of_job) {
  const MachineRoom room{.memory_bytes = 16 * kGb, .free_disk_bytes = 100 * kGb};
  EXPECT_EQ(divide(room, minutes(2), 0).job.time, minutes(2));
  EXPECT_EQ(divide(room, minutes(2), 0).inspection.time, minutes(2));
  EXPECT_EQ(divide(room, minutes(90), 0).inspection.time, minutes(5));
}

}  // namespace
}  // namespace slipway::worker
