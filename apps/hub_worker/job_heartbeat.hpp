#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

#include "base/clock.hpp"
#include "hub/client/agent_client.hpp"

namespace slipway::worker {

/// How often a JobHeartbeat does what. A lease lasts 30 s, so that several renewals may fail; a log is read by
/// people.
struct HeartbeatPace {
  std::chrono::milliseconds renew{10'000};
  std::chrono::milliseconds renew_again{2'000};  ///< when the last renewal failed and the end draws near
  std::chrono::milliseconds send_lines{200};
  std::chrono::milliseconds say_again{5'000};  ///< what is being done, when nothing was said for so long
};

/// Beside a running job: renews its lease, sends its log in batches, and says what is being done when the job itself
/// has been silent for a while.
/// @thread add_line() and is_lost() from any thread; the client belongs to the heartbeat while it lives
class JobHeartbeat {
 public:
  /// @param on_lost  asked to stop as soon as the hub says that the lease is another's, or when it could not be renewed
  ///                 for as long as it was granted
  JobHeartbeat(hub::client::AgentClient& client, const base::Clock& clock, std::string job_id, std::string lease_token,
               unsigned lease_seconds, std::stop_source on_lost, HeartbeatPace pace = {});
  ~JobHeartbeat();
  JobHeartbeat(const JobHeartbeat&) = delete;
  JobHeartbeat& operator=(const JobHeartbeat&) = delete;

  /// @param who  whose words these are
  void add_line(std::string_view line, std::string_view who = "job");
  /// Sends what is left of the log; renewing goes on.
  void flush();
  /// The same, and the last of it: call before the job is completed, for the hub takes no line after that.
  void close_log();
  [[nodiscard]] bool is_lost() const { return is_lost_; }

 private:
  void work(const std::stop_token& stop);
  /// When there is something to do again.
  [[nodiscard]] base::Instant due() const;
  void renew(std::unique_lock<std::mutex>& lock);
  void say_again();
  void send_lines(std::unique_lock<std::mutex>& lock);
  void lose();

  hub::client::AgentClient& client_;
  const base::Clock& clock_;
  const std::string job_id_, lease_token_;
  std::stop_source on_lost_;
  const HeartbeatPace pace_;
  std::atomic<bool> is_lost_{false};

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::string lines_;
  std::string last_line_;
  base::Instant last_line_at_, said_at_;
  base::Instant lease_until_, renew_due_, send_due_;
  bool is_flush_wanted_ = false;
  bool is_closed_ = false;
  bool is_sending_ = false;
  std::jthread thread_;  ///< last: it uses all of the above
};

}  // namespace slipway::worker
