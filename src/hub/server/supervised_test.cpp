#include "hub/server/internal/supervised.hpp"

#include <filesystem>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

namespace slipway::hub::server::internal {
namespace {

using std::chrono::seconds;

TEST(Supervised, goes_on_after_exceptions_and_tells_of_them) {
  boost::asio::io_context context;
  Health health;
  std::atomic<bool> is_stopping{false};
  const base::Time now{seconds(1'000)};
  const Supervision supervision{.health = health, .is_stopping = is_stopping, .now = [now] { return now; }};
  int rounds = 0;
  const auto round = [&]() -> boost::asio::awaitable<void> {
    ++rounds;
    if (rounds == 1) throw std::runtime_error("a store broke");
    if (rounds == 2) throw 42;
    if (rounds == 3)
      throw std::filesystem::filesystem_error("open", "/srv/hub/secret", std::make_error_code(std::errc::io_error));
    is_stopping = rounds == 5;
    co_return;
  };
  boost::asio::co_spawn(context, supervised(supervision, "a part", round), boost::asio::detached);
  context.run();
  EXPECT_EQ(rounds, 5);
  const auto troubles = health.troubles(now);
  ASSERT_EQ(troubles.size(), 1U);
  EXPECT_EQ(troubles[0].part, "a part");
  EXPECT_EQ(troubles[0].failures, 3U);
  EXPECT_EQ(troubles[0].reason, std::make_error_code(std::errc::io_error).message()) << "anyone may read it: no paths";
}

TEST(Health, a_part_is_in_trouble_until_it_has_been_calm_for_a_while) {
  Health health;
  const base::Time begin{seconds(5'000)};
  EXPECT_TRUE(health.troubles(begin).empty());
  health.note_failure("a part", "first", begin);
  health.note_failure("a part", "second", begin + seconds(30));
  health.note_failure("another", "else", begin + seconds(40));
  const auto troubles = health.troubles(begin + seconds(80));
  ASSERT_EQ(troubles.size(), 2U);
  EXPECT_EQ(troubles[0].reason, "second");
  EXPECT_EQ(troubles[0].since, begin);
  EXPECT_EQ(troubles[0].last, begin + seconds(30));
  EXPECT_EQ(troubles[0].failures, 2U);
  EXPECT_EQ(health.troubles(begin + seconds(95)).size(), 1U);
  health.note_failure("a part", "third", begin + seconds(200));
  EXPECT_EQ(health.troubles(begin + seconds(200)).front().since, begin + seconds(200)) << "a new trouble";
}

}  // namespace
}  // namespace slipway::hub::server::internal
