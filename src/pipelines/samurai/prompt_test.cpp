#include "pipelines/samurai/prompt.hpp"

#include <limits>

#include <gtest/gtest.h>

namespace slipway::pipelines::samurai {
namespace {

constexpr int kWidth = 640, kHeight = 480, kPlaces = 3;
constexpr float kAbsent = -10;

Prompt box_prompt(double x1, double y1, double x2, double y2) {
  Prompt prompt;
  prompt.box = Box{x1, y1, x2, y2};
  return prompt;
}

TEST(CheckedPrompt, says_what_is_wrong_with_a_prompt) {
  Prompt outside_point, black, other_size, both, many;
  outside_point.points = {{640, 10, true}};
  black.mask = PromptMask{kWidth, kHeight, std::vector<std::uint8_t>(kWidth * kHeight, 0)};
  other_size.mask = PromptMask{2, 2, {1, 1, 1, 1}};
  both = box_prompt(1, 1, 9, 9);
  both.mask = PromptMask{kWidth, kHeight, std::vector<std::uint8_t>(kWidth * kHeight, 1)};
  many = box_prompt(1, 1, 9, 9);
  many.points = {{5, 5, true}};
  const double no_number = std::numeric_limits<double>::quiet_NaN();
  const std::vector<std::pair<Prompt, std::string>> cases = {
      {{}, "no object was shown"},
      {box_prompt(700, 10, 720, 40), "lies outside the first frame, which is 640x480"},
      {box_prompt(-50, -40, -1, -1), "lies outside the first frame"},
      {box_prompt(10, 10, 10, 40), "has no area"},
      {box_prompt(10, 40, 20, 30), "has no area"},
      {box_prompt(no_number, 10, 20, 30), "has no area"},
      {outside_point, "the point 640,10 lies outside"},
      {black, "the mask is black"},
      {other_size, "the mask is 2x2, the first frame 640x480"},
      {both, "a mask stands alone"},
      {many, "3 points (a box counts as two), but this model takes 2"},
  };
  for (const auto& [prompt, message] : cases) {
    const auto checked = checked_prompt(prompt, kWidth, kHeight, kPlaces);
    ASSERT_FALSE(checked) << message;
    EXPECT_EQ(checked.error().code, base::Code::kInvalidArgument);
    EXPECT_NE(checked.error().message.find(message), std::string::npos) << checked.error().message;
  }
}

// The original hands its network the corners as they are.
TEST(CheckedPrompt, takes_a_box_that_hangs_over_the_edge_as_given) {
  const auto checked = checked_prompt(box_prompt(-20, 400, 100, 900), kWidth, kHeight, kPlaces);
  ASSERT_TRUE(checked) << checked.error().message;
  EXPECT_EQ(*checked->box, (Box{-20, 400, 100, 900}));
}

// The table of python/exporters/samurai/README.md.
TEST(EncodePoints, ends_with_one_no_point_and_leaves_the_rest_absent) {
  const auto labels = [](const Prompt& prompt) { return encode_points(prompt, kPlaces, 0.5, 2, kAbsent).labels; };
  Prompt one, two;
  one.points = {{10, 20, true}};
  two.points = {{10, 20, true}, {30, 40, false}};
  EXPECT_EQ(labels(box_prompt(1, 2, 3, 4)), (std::vector<float>{2, 3, -1}));
  EXPECT_EQ(labels(one), (std::vector<float>{1, -1, -10}));
  EXPECT_EQ(labels(two), (std::vector<float>{1, 0, -1}));
  EXPECT_EQ(labels({}), (std::vector<float>{-1, -1, -10}));
  EXPECT_EQ(encode_points(box_prompt(10, 20, 30, 40), kPlaces, 0.5, 2, kAbsent).xy,
            (std::vector<float>{5, 40, 15, 80, 0, 0}));
}

}  // namespace
}  // namespace slipway::pipelines::samurai
