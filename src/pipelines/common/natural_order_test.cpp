#include "pipelines/common/natural_order.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace slipway::pipelines {
namespace {

TEST(NaturalOrder, counts_numbers_by_their_value_whatever_their_width) {
  const std::vector<std::string> right = {"01.png",
                                          "1.png",
                                          "2.png",
                                          "9.png",
                                          "10.png",
                                          "12.png",
                                          "a1b2.x",
                                          "a1b10.x",
                                          "a2b1.x",
                                          "frame-9",
                                          "frame-10",
                                          "v1.2",
                                          "v1.10",
                                          "x",
                                          "x1",
                                          "x99999999999999999999",
                                          "x100000000000000000000"};
  std::vector<std::string> shuffled = right;
  std::ranges::sort(shuffled);
  std::ranges::sort(shuffled, is_before_naturally);
  EXPECT_EQ(shuffled, right);
}

TEST(NaturalOrder, is_an_order) {
  const std::vector<std::string> names = {"", "0", "00", "1", "a", "a0", "a00", "a0b", "a00b", "\xC3\xA9", "Z"};
  for (const std::string& one : names) {
    EXPECT_FALSE(is_before_naturally(one, one));
    for (const std::string& other : names) {
      if (one == other) continue;
      EXPECT_NE(is_before_naturally(one, other), is_before_naturally(other, one)) << one << other;
    }
  }
}

}  // namespace
}  // namespace slipway::pipelines
