#pragma once

#include <algorithm>
#include <chrono>
#include <stop_token>

#include "base/clock.hpp"

namespace slipway::hub::client {

/// How long a request is tried again when the hub is away (no connection, 5xx, 429), with growing pauses.
struct RetryPolicy {
  std::chrono::milliseconds first_pause{100};
  std::chrono::milliseconds longest_pause{2000};
  std::chrono::milliseconds total{25'000};  ///< counted from the last progress, not from the start
  int fewest_attempts = 3;                  ///< without progress, however long each of them takes
};

/// The retries of one request or transfer. What moves on may go on: bytes that have never got so far before start the
/// budget anew, so that a long transfer over a bad line ends, and one that never gets past a point is given up.
class Retries {
 public:
  Retries(const RetryPolicy& policy, const base::Clock& clock) : policy_(policy), clock_(clock) { start_anew(); }

  /// Tells how far the transfer is, of all attempts together.
  void reached(std::uint64_t size_bytes) {
    if (size_bytes <= furthest_bytes_) return;
    furthest_bytes_ = size_bytes;
    start_anew();
  }

  /// Call after a failed attempt: waits before the next one. @return false: there should be none
  [[nodiscard]] bool wait(const std::stop_token& stop) {
    ++failures_;
    const bool is_over = clock_.instant() + pause_ >= give_up_ && failures_ >= policy_.fewest_attempts;
    if (is_over || stop.stop_requested()) return false;
    clock_.pause(pause_, stop);
    pause_ = std::min(2 * pause_, policy_.longest_pause);
    return true;
  }

 private:
  void start_anew() {
    give_up_ = clock_.instant() + policy_.total;
    pause_ = policy_.first_pause;
    failures_ = 0;
  }

  const RetryPolicy& policy_;
  const base::Clock& clock_;
  std::uint64_t furthest_bytes_ = 0;
  base::Instant give_up_;
  std::chrono::milliseconds pause_{0};
  int failures_ = 0;
};

}  // namespace slipway::hub::client
