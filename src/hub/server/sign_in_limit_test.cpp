#include "hub/server/sign_in_limit.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace slipway::hub::server {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class FailedSignIns : public ::testing::Test {
 protected:
  std::optional<seconds> fail(const std::string& address) { return limit_.note_failure(address, now_); }
  /// How many failures in a row are answered without a wait.
  int allowed(const std::string& address) {
    int count = 0;
    while (!fail(address)) ++count;
    return count;
  }
  SignInLimit limit_;
  base::Instant now_{};
};

TEST_F(FailedSignIns, are_bounded_for_an_address_and_come_back_one_by_one) {
  EXPECT_EQ(allowed("10.0.0.1"), 20);
  EXPECT_EQ(fail("10.0.0.1"), seconds(3));
  now_ += milliseconds(1500);
  EXPECT_EQ(fail("10.0.0.1"), seconds(2));
  now_ += milliseconds(1500);
  EXPECT_EQ(allowed("10.0.0.1"), 1);
  now_ += std::chrono::hours(1);
  EXPECT_EQ(allowed("10.0.0.1"), 20);
}

TEST_F(FailedSignIns, of_one_address_leave_the_others_alone) {
  allowed("10.0.0.1");
  for (int n = 0; n < 1000; ++n) EXPECT_TRUE(fail("10.0.0.1"));
  EXPECT_EQ(allowed("10.0.0.2"), 20);
}

TEST_F(FailedSignIns, are_bounded_for_all_addresses_together) {
  int count = 0;
  for (int n = 0; n < 300; ++n) count += fail(fmt::format("10.0.{}.1", n)) ? 0 : 1;
  EXPECT_EQ(count, 200);
  now_ += milliseconds(300);
  EXPECT_EQ(allowed("10.9.9.9"), 1);
}

TEST_F(FailedSignIns, count_an_ipv6_network_as_one_and_a_mapped_address_as_itself) {
  EXPECT_EQ(allowed("2001:db8:1:2::1"), 20);
  EXPECT_TRUE(fail("2001:db8:1:2:ffff::9"));
  EXPECT_FALSE(fail("2001:db8:1:3::1"));
  EXPECT_EQ(allowed("::ffff:10.0.0.1"), 20);
  EXPECT_TRUE(fail("10.0.0.1"));
  EXPECT_FALSE(fail("10.0.0.2"));
}

TEST_F(FailedSignIns, keep_a_bounded_number_of_addresses) {
  for (int n = 0; n < 20'000; ++n) {
    (void)fail(fmt::format("10.{}.{}.1", n / 250, n % 250));
    if (n % 1000 == 0) now_ += milliseconds(10);
  }
  EXPECT_LE(limit_.address_count(), SignInLimit::kMostAddresses);
  now_ += std::chrono::hours(1);
  EXPECT_FALSE(fail("10.200.0.1"));
  EXPECT_EQ(limit_.address_count(), 1U);
}

}  // namespace
}  // namespace slipway::hub::server
