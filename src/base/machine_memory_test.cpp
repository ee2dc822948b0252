#include "base/machine_memory.hpp"

#include <gmock/gmock.h>
#include <sys/resource.h>

namespace slipway::base {
namespace {

TEST(MachineMemory, is_what_the_process_may_have_at_most) {
  const std::uint64_t all = usable_memory_bytes();
  EXPECT_GT(all, std::uint64_t{64} << 20);
  rlimit before = {};
  ASSERT_EQ(getrlimit(RLIMIT_AS, &before), 0);
  // Not set under sanitizers' feet: a limit above all that a machine has, and below "none".
  const rlimit high = {.rlim_cur = rlim_t{1} << 60, .rlim_max = before.rlim_max};
  if (before.rlim_max != RLIM_INFINITY) GTEST_SKIP() << "this process has a limit already";
  ASSERT_EQ(setrlimit(RLIMIT_AS, &high), 0);
  EXPECT_EQ(usable_memory_bytes(), all);
  ASSERT_EQ(setrlimit(RLIMIT_AS, &before), 0);
}

TEST(MachineMemory, is_named_where_something_does_not_fit) {
  EXPECT_TRUE(check_memory(1, [] { return "a byte"; }));
  const auto refused = check_memory(std::uint64_t{1} << 60, [] { return "a picture of 619000000x619000000 pixels"; });
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kResourceExhausted);
  EXPECT_THAT(refused.error().message, ::testing::HasSubstr("619000000 pixels: that takes 1152921504.6 GB, and this "
                                                            "machine has "));
}

}  // namespace
}  // namespace slipway::base
