#include "apps/cli/supervised_program.hpp"

#include <algorithm>

#include <poll.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <linux/close_range.h>

#include "base/testing/descriptors.hpp"

namespace slipway::cli {
namespace {

using base::testing::open_descriptors;

TEST(SupervisedProgram, inherits_its_standard_streams_and_nothing_else) {
  // What this test itself was started with is not the program's doing.
  ASSERT_EQ(::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC), 0);
  SupervisedProgram program({"/bin/ls", "-1", "/proc/self/fd"});
  ASSERT_TRUE(program.start());
  std::vector<std::string> lines;
  while (program.output() >= 0) {
    pollfd wanted{.fd = program.output(), .events = POLLIN, .revents = 0};
    ASSERT_GT(::poll(&wanted, 1, 20'000), 0);
    for (std::string& line : program.read_lines()) lines.push_back(std::move(line));
  }
  EXPECT_THAT(lines, ::testing::ElementsAre("0", "1", "2", "3")) << "3 is the folder that it lists";
}

TEST(SupervisedProgram, a_start_that_fails_leaves_no_descriptor_behind) {
  const std::size_t before = open_descriptors();
  SupervisedProgram missing({"/nowhere/at/all"});
  EXPECT_FALSE(missing.start());
  EXPECT_EQ(open_descriptors(), before);
  {
    // Room for the first of its two pipes only.
    const base::testing::DescriptorLimit limit(2);
    SupervisedProgram program({"/bin/true"});
    EXPECT_FALSE(program.start());
  }
  EXPECT_EQ(open_descriptors(), before);
}

}  // namespace
}  // namespace slipway::cli
