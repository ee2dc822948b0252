#include "base/text.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace slipway::base {
namespace {

using Words = std::vector<std::string_view>;

TEST(Text, is_trimmed_of_blanks_on_both_sides) {
  EXPECT_EQ(trimmed(" \t a b\r\n"), "a b");
  EXPECT_EQ(trimmed("a"), "a");
  EXPECT_EQ(trimmed(" \n"), "");
}

TEST(Text, is_lowered_in_ascii_alone) {
  EXPECT_EQ(lowered("Content-TYPE Ä[Z]"), "content-type Ä[z]");
}

TEST(ParseNumber, takes_the_whole_text_or_nothing) {
  EXPECT_EQ(parse_number<int>("-12"), -12);
  EXPECT_EQ(parse_number<std::uint64_t>("18446744073709551615"), UINT64_MAX);
  for (const char* wrong : {"", "+1", " 1", "1 ", "1x", "0x1", "18446744073709551616"}) {
    EXPECT_FALSE(parse_number<std::uint64_t>(wrong)) << wrong;
  }
  EXPECT_FALSE(parse_number<std::uint8_t>("256"));
}

TEST(ConsumeNumber, leaves_what_stands_behind_the_number) {
  std::string_view text = "640x480";
  EXPECT_EQ(consume_number<int>(text), 640);
  EXPECT_EQ(text, "x480");
  EXPECT_FALSE(consume_number<int>(text));
  EXPECT_EQ(text, "x480");
  text = "2.5,";
  EXPECT_EQ(consume_number<double>(text), 2.5);
  EXPECT_EQ(text, ",");
  text = "300";
  EXPECT_FALSE(consume_number<std::uint8_t>(text)) << "more than the type holds";
}

TEST(EditDistance, counts_insertions_removals_replacements_and_swaps) {
  EXPECT_EQ(edit_distance("", ""), 0U);
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("abc", ""), 3U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
  EXPECT_EQ(edit_distance("porfile", "profile"), 1U);
  EXPECT_EQ(edit_distance("ab", "ba"), 1U);
  EXPECT_EQ(edit_distance("abc", "cba"), 2U);
}

TEST(Nearest, finds_what_was_meant_and_nothing_that_was_not) {
  EXPECT_EQ(nearest("--target_runtme", Words{"--target_runtime", "--output_names"}), "--target_runtime");
  EXPECT_EQ(nearest("--compute-unit", Words{"--compute_unit", "--qairt_version"}), "--compute_unit");
  EXPECT_EQ(nearest("--zzz", Words{"--target_runtime", "--output_names"}), std::nullopt);
  EXPECT_EQ(nearest("porfile", std::vector<std::string>{"profile", "bench"}), "profile");
  EXPECT_EQ(nearest("benhc", Words{"profile", "bench"}), "bench");
  EXPECT_EQ(nearest("quantise", Words{"infer", "bench"}), std::nullopt);
  EXPECT_EQ(nearest("x", Words{}), std::nullopt);
}

TEST(Nearest, takes_the_nearer_and_of_equals_the_first) {
  EXPECT_EQ(nearest("infr", Words{"inspect", "infers", "infer"}), "infer");
  EXPECT_EQ(nearest("cat", Words{"bat", "rat"}), "bat");
}

TEST(Nearest, does_not_spend_time_on_what_nobody_typed) {
  EXPECT_EQ(nearest(std::string(100'000, 'a'), Words{"--target_runtime"}), std::nullopt);
  EXPECT_EQ(nearest("aaaa", std::vector<std::string>{std::string(100'000, 'a')}), std::nullopt);
}

}  // namespace
}  // namespace slipway::base
