#include "hub/server/signed_links.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/files.hpp"
#include "base/testing/manual_clock.hpp"

namespace slipway::hub::server {
namespace {

TEST(SignedLinks, open_to_what_they_were_made_for) {
  const base::testing::ManualClock clock;
  const SignedLinks links(std::string(64, 'k'), clock);
  const std::string segment = links.sign({.blob = {"abc", 1ULL << 40}, .filename = "a name with\nlines & ü.onnx"});
  EXPECT_EQ(segment.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."),
            std::string::npos);
  const auto target = links.open(segment);
  ASSERT_TRUE(target);
  EXPECT_EQ(target->blob.sha256, "abc");
  EXPECT_EQ(target->blob.size_bytes, 1ULL << 40);
  EXPECT_EQ(target->filename, "a name with\nlines & ü.onnx");
}

TEST(SignedLinks, any_changed_character_closes_them) {
  const base::testing::ManualClock clock;
  const SignedLinks links(std::string(64, 'k'), clock);
  const std::string segment = links.sign({.blob = {"abc", 7}, .filename = "f"});
  for (std::size_t i = 0; i < segment.size(); ++i) {
    std::string changed = segment;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    // The last character carries bits that the 32 bytes do not fill; the text itself is compared, so it counts too.
    EXPECT_FALSE(links.open(changed)) << i;
  }
  EXPECT_FALSE(links.open(""));
  EXPECT_FALSE(links.open("."));
  EXPECT_FALSE(links.open(segment.substr(0, segment.find('.'))));
}

TEST(SignedLinks, outlast_every_step_of_the_clock_on_the_wall) {
  const base::testing::ManualClock clock;
  const SignedLinks links(std::string(64, 'k'), clock);
  const std::string segment = links.sign({.blob = {"abc", 7}, .filename = "f"});
  for (const auto step : {std::chrono::hours(48), -std::chrono::hours(100)}) {
    clock.step(step);
    EXPECT_TRUE(links.open(segment)) << step.count();
  }
  clock.advance(std::chrono::hours(1) + std::chrono::seconds(1));
  EXPECT_FALSE(links.open(segment)) << "time that passes closes them";
}

TEST(SignedLinks, end_after_their_time_and_under_another_key) {
  base::testing::ManualClock clock;
  const SignedLinks links(std::string(64, 'k'), clock, std::chrono::seconds(60));
  const std::string segment = links.sign({.blob = {"abc", 7}, .filename = "f"});
  EXPECT_FALSE(SignedLinks(std::string(64, 'x'), clock).open(segment));
  clock.advance(std::chrono::seconds(59));
  EXPECT_TRUE(links.open(segment));
  clock.advance(std::chrono::seconds(2));
  EXPECT_EQ(links.open(segment).error().code, base::Code::kNotFound);
  const std::string longer = links.sign({.blob = {"abc", 7}, .filename = "f"}, std::chrono::hours(24));
  clock.advance(std::chrono::hours(23));
  EXPECT_TRUE(links.open(longer)) << "a transfer that goes on for hours is not shut out";
}

TEST(LoadOrMakeKey, keeps_the_key_in_a_file_for_its_owner_only) {
  const auto folder = base::TemporaryFolder::create("slipway-key");
  ASSERT_TRUE(folder);
  base::RandomIdSource ids;
  const auto key = load_or_make_key(folder->path() / "secret", ids);
  ASSERT_TRUE(key);
  EXPECT_GE(key->size(), 32U);
  EXPECT_EQ(load_or_make_key(folder->path() / "secret", ids).value(), *key);
  struct stat status {};
  ASSERT_EQ(::stat((folder->path() / "secret").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  ASSERT_TRUE(base::write_file_durably(folder->path() / "secret", "short"));
  EXPECT_EQ(load_or_make_key(folder->path() / "secret", ids).error().code, base::Code::kDataLoss);
}

}  // namespace
}  // namespace slipway::hub::server
