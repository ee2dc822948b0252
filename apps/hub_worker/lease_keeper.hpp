#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

#include "hub/client/agent_client.hpp"

namespace slipway::worker {

/// How often a LeaseKeeper does what. A lease lasts 30 s, so that three renewals may fail; a log is read by people.
struct KeeperPace {
  std::chrono::milliseconds renew{10'000};
  std::chrono::milliseconds renew_again{2'000};  ///< when the last renewal failed and the end draws near
  std::chrono::milliseconds send_lines{200};
};

/// Beside a running job: renews its lease and sends its log in batches.
/// @thread add_line() and is_lost() from any thread; the client belongs to the keeper while it lives
class LeaseKeeper {
 public:
  /// @param on_lost  asked to stop as soon as the hub says that the lease is another's, or when it could not be renewed
  ///                 for as long as it was granted
  LeaseKeeper(hub::client::AgentClient& client, std::string job_id, std::string lease_token, unsigned lease_seconds,
              std::stop_source on_lost, KeeperPace pace = {});
  ~LeaseKeeper();
  LeaseKeeper(const LeaseKeeper&) = delete;
  LeaseKeeper& operator=(const LeaseKeeper&) = delete;

  void add_line(std::string_view line);
  /// Sends what is left of the log before the job is completed; renewing goes on.
  void flush();
  [[nodiscard]] bool is_lost() const { return is_lost_; }

 private:
  void work(const std::stop_token& stop);
  void renew();
  void send_lines(std::unique_lock<std::mutex>& lock);
  void lose();

  hub::client::AgentClient& client_;
  const std::string job_id_, lease_token_;
  std::stop_source on_lost_;
  const KeeperPace pace_;
  std::atomic<bool> is_lost_{false};
  std::chrono::steady_clock::time_point lease_until_;

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::string lines_;
  bool is_flush_wanted_ = false;
  bool is_sending_ = false;
  std::jthread thread_;  ///< last: it uses all of the above
};

}  // namespace slipway::worker
