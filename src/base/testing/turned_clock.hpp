#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <stop_token>

#include "base/clock.hpp"

namespace slipway::base {

/// A clock that stands still until it is turned. A pause turns it and takes no time.
class TurnedClock final : public Clock {
 public:
  [[nodiscard]] Time now() const override { return Time(std::chrono::microseconds(wall_us_.load())); }
  [[nodiscard]] Instant instant() const override { return Instant(std::chrono::microseconds(steady_us_.load())); }
  void pause(std::chrono::milliseconds time, const std::stop_token&) const override { advance(time); }

  /// Time passes.
  void advance(std::chrono::microseconds by) const {
    wall_us_ += by.count();
    steady_us_ += by.count();
  }
  /// Somebody sets the clock on the wall; no time passes.
  void step(std::chrono::microseconds by) const { wall_us_ += by.count(); }

 private:
  mutable std::atomic<std::int64_t> wall_us_ = 1'800'000'000'000'000;
  mutable std::atomic<std::int64_t> steady_us_ = 1'000'000'000;
};

}  // namespace slipway::base
