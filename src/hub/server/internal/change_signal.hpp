#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_set>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

namespace slipway::hub::server::internal {

/// Wakes waiting requests after a change of the hub without holding a thread for each.
/// @thread safe from any thread
class ChangeSignal {
 public:
  /// Something changed: everyone who waits looks again.
  void notify();

  /// Read this before looking; wait() then misses no change that comes between looking and waiting.
  [[nodiscard]] std::uint64_t generation() const;

  /// Returns after a change since `seen`, or after `time`. The coroutine's executor must be a strand.
  boost::asio::awaitable<void> wait(std::uint64_t seen, std::chrono::nanoseconds time);

  /// Forgets all who wait; their coroutines are about to be destroyed with their executor.
  void abandon();

 private:
  mutable std::mutex mutex_;
  std::uint64_t generation_ = 0;
  std::unordered_set<std::shared_ptr<boost::asio::steady_timer>> waiting_;
};

}  // namespace slipway::hub::server::internal
