#include "apps/hub_worker/job_heartbeat.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hub/client/testing/tiny_server.hpp"

namespace slipway::worker {
namespace {

namespace agent = hub::protocol::agent;
using hub::client::testing::Answer;
using hub::client::testing::ReceivedRequest;
using hub::client::testing::TinyServer;
using std::chrono::milliseconds;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr HeartbeatPace kQuick{
    .renew = milliseconds(50), .renew_again = milliseconds(20), .send_lines = milliseconds(10)};

/// A heartbeat with a hub that answers as the test says.
class Heartbeat : public ::testing::Test {
 protected:
  Answer answer(const ReceivedRequest& request) {
    const bool is_renewal = request.path.ends_with("/renew/");
    const int status = is_renewal ? renew_status_ : log_status_;
    ++(is_renewal ? renewals_ : batches_);
    if (status == 200 && !is_renewal) {
      const std::scoped_lock lock(mutex_);
      log_ += agent::decode<agent::LogLines>(request.body).value().text;
    }
    return Answer{.status = status,
                  .body = is_renewal ? encode(agent::RenewReply{granted_seconds_}) : "",
                  .headers = "",
                  .hang_up = false};
  }
  std::string log() {
    const std::scoped_lock lock(mutex_);
    return log_;
  }
  bool is_lost_within(const JobHeartbeat& heartbeat, milliseconds time) const {
    const auto give_up = std::chrono::steady_clock::now() + time;
    while (!heartbeat.is_lost() && std::chrono::steady_clock::now() < give_up) {
      std::this_thread::sleep_for(milliseconds(5));
    }
    return heartbeat.is_lost();
  }

  std::mutex mutex_;
  std::string log_;
  std::atomic<int> renew_status_ = 200, log_status_ = 200, renewals_ = 0, batches_ = 0;
  std::atomic<std::uint32_t> granted_seconds_ = 30;
  TinyServer server_{[this](const ReceivedRequest& request) { return answer(request); }};
  const base::SystemClock clock_;
  hub::client::AgentClient client_{hub::client::over_http(server_.url(), "t", clock_)};
  std::stop_source lost_;
};

TEST_F(Heartbeat, renews_again_and_again_and_says_for_which_lease) {
  {
    const JobHeartbeat heartbeat(client_, clock_, "j1", "lease", 30, lost_, kQuick);
    EXPECT_FALSE(is_lost_within(heartbeat, milliseconds(300)));
  }
  EXPECT_GE(renewals_, 2);
  EXPECT_EQ(server_.received().front().path, "/agent/v1/jobs/j1/renew/");
  EXPECT_EQ(agent::decode<agent::RenewRequest>(server_.received().front().body)->lease_token, "lease");
  EXPECT_FALSE(lost_.stop_requested());
}

TEST_F(Heartbeat, stops_the_job_as_soon_as_the_hub_says_that_the_lease_is_anothers) {
  renew_status_ = 409;
  const JobHeartbeat heartbeat(client_, clock_, "j1", "lease", 30, lost_, kQuick);
  EXPECT_TRUE(is_lost_within(heartbeat, milliseconds(2000)));
  EXPECT_TRUE(lost_.stop_requested());
}

/// A lease of one second of a hub that has gone away.
class HeartbeatWithoutHub : public Heartbeat {
 protected:
  void SetUp() override {
    renew_status_ = 503;
    heartbeat_.emplace(client_, clock_, "j1", "lease", 1, lost_, kQuick);
    ASSERT_FALSE(is_lost_within(*heartbeat_, milliseconds(300)));
  }
  std::optional<JobHeartbeat> heartbeat_;
};

TEST_F(HeartbeatWithoutHub, goes_on_for_as_long_as_the_lease_lasts) {
  EXPECT_TRUE(is_lost_within(*heartbeat_, milliseconds(3000)));
  EXPECT_TRUE(lost_.stop_requested());
}

TEST_F(HeartbeatWithoutHub, loses_nothing_when_the_hub_comes_back_in_time) {
  renew_status_ = 200;
  EXPECT_FALSE(is_lost_within(*heartbeat_, milliseconds(1200))) << "the hub granted 30 s meanwhile";
}

TEST_F(Heartbeat, has_sent_every_line_with_its_time_when_the_flush_returns) {
  JobHeartbeat heartbeat(client_, clock_, "j1", "lease", 30, lost_, kQuick);
  for (int n = 0; n < 100; ++n) heartbeat.add_line(fmt::format("line {}", n));
  heartbeat.flush();
  const std::string sent = log();
  EXPECT_EQ(std::ranges::count(sent, '\n'), 100);
  EXPECT_THAT(sent, AllOf(StartsWith("[job] 20"), HasSubstr("Z line 0\n"), HasSubstr("Z line 99\n")));
  EXPECT_LT(batches_, 100) << "lines go in batches";
}

TEST_F(Heartbeat, keeps_the_lines_of_a_hub_that_is_away_and_sends_them_later) {
  log_status_ = 503;
  JobHeartbeat heartbeat(client_, clock_, "j1", "lease", 30, lost_, kQuick);
  heartbeat.add_line("early");
  heartbeat.flush();
  EXPECT_EQ(log(), "");
  log_status_ = 200;
  heartbeat.add_line("late");
  heartbeat.flush();
  EXPECT_THAT(log(), AllOf(HasSubstr("early"), HasSubstr("late")));
}

TEST_F(Heartbeat, learns_from_the_log_too_that_the_lease_is_lost) {
  log_status_ = 409;
  JobHeartbeat heartbeat(client_, clock_, "j1", "lease", 30, lost_, HeartbeatPace{});
  heartbeat.add_line("anyone?");
  heartbeat.flush();
  EXPECT_TRUE(heartbeat.is_lost());
}

TEST_F(Heartbeat, of_a_job_that_says_too_much_keeps_a_bounded_part) {
  log_status_ = 503;
  JobHeartbeat heartbeat(client_, clock_, "j1", "lease", 30, lost_, kQuick);
  for (int n = 0; n < 3000; ++n) heartbeat.add_line(std::string(1000, 'x'));
  log_status_ = 200;
  heartbeat.flush();
  EXPECT_GT(log().size(), 500'000U);
  EXPECT_LT(log().size(), 1'500'000U);
}

TEST_F(Heartbeat, says_what_is_being_done_while_the_job_is_silent) {
  HeartbeatPace pace = kQuick;
  pace.say_again = milliseconds(20);
  JobHeartbeat heartbeat(client_, clock_, "j1", "lease", 30, lost_, pace);
  heartbeat.add_line("measuring: inference");
  for (int reading = 0; reading < 1000 && std::ranges::count(log(), '\n') < 3; ++reading) {
    std::this_thread::sleep_for(milliseconds(5));
  }
  EXPECT_THAT(log(), HasSubstr(" s: measuring: inference\n"));
}

}  // namespace
}  // namespace slipway::worker
