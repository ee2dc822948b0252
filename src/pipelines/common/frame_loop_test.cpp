#include "pipelines/common/frame_loop.hpp"

#include <new>
#include <set>
#include <stdexcept>

#include <gtest/gtest.h>

namespace slipway::pipelines {
namespace {

struct Slot {
  int number = 0;
};

TEST(FrameLoop, takes_every_frame_through_all_stages_in_order_with_the_slots_it_has) {
  std::vector<Slot> slots(3);
  std::set<const Slot*> used;
  std::vector<int> presented;
  int next = 0;
  const auto outcome = run_frame_loop(
      slots,
      [&](Slot& slot) -> base::Result<bool> {
        slot.number = next++;
        return slot.number < 500;
      },
      [&](Slot& slot) -> base::Result<void> {
        used.insert(&slot);
        slot.number *= 2;
        return {};
      },
      [&](Slot& slot) -> base::Result<void> {
        presented.push_back(slot.number);
        return {};
      });
  ASSERT_TRUE(outcome);
  ASSERT_EQ(presented.size(), 500U);
  for (std::size_t i = 0; i < presented.size(); ++i) EXPECT_EQ(presented[i], 2 * static_cast<int>(i));
  EXPECT_LE(used.size(), 3U);
}

class FailingStage : public ::testing::TestWithParam<int> {};

TEST_P(FailingStage, ends_the_loop_with_its_error) {
  std::vector<Slot> slots(2);
  int next = 0;
  const auto failing = [&](int stage, const Slot& slot) -> base::Result<void> {
    if (stage == GetParam() && slot.number == 7) return base::fail(base::Code::kDataLoss, "frame {}", slot.number);
    return {};
  };
  const auto outcome = run_frame_loop(
      slots,
      [&](Slot& slot) -> base::Result<bool> {
        slot.number = next++;
        SLIPWAY_TRY(failing(0, slot));
        return true;
      },
      [&](Slot& slot) { return failing(1, slot); }, [&](Slot& slot) { return failing(2, slot); });
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().message, "frame 7");
}

TEST_P(FailingStage, ends_the_loop_with_its_exception_as_an_error) {
  std::vector<Slot> slots(2);
  int next = 0;
  const auto throwing = [&](int stage, const Slot& slot) {
    if (stage != GetParam() || slot.number != 7) return;
    throw std::runtime_error("frame 7 is too much");
  };
  const auto outcome = run_frame_loop(
      slots,
      [&](Slot& slot) -> base::Result<bool> {
        slot.number = next++;
        throwing(0, slot);
        return true;
      },
      [&](Slot& slot) -> base::Result<void> {
        throwing(1, slot);
        return {};
      },
      [&](Slot& slot) -> base::Result<void> {
        throwing(2, slot);
        return {};
      });
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, base::Code::kInternal);
  EXPECT_NE(outcome.error().message.find("frame 7 is too much"), std::string::npos) << outcome.error().message;
}

TEST_P(FailingStage, ends_the_loop_for_want_of_memory_as_an_error) {
  std::vector<Slot> slots(2);
  const auto stage = [&](int number) -> base::Result<void> {
    if (number == GetParam()) throw std::bad_alloc();
    return {};
  };
  const auto outcome = run_frame_loop(
      slots,
      [&](Slot&) -> base::Result<bool> {
        SLIPWAY_TRY(stage(0));
        return true;
      },
      [&](Slot&) { return stage(1); }, [&](Slot&) { return stage(2); });
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().reason, base::Reason::kOutOfMemory);
}

INSTANTIATE_TEST_SUITE_P(EachStage, FailingStage, ::testing::Values(0, 1, 2));

}  // namespace
}  // namespace slipway::pipelines
