#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <stop_token>

#include "base/clock.hpp"

namespace slipway::base::testing {

/// A clock that stands still until it is advanced. A wait for what does not come advances it and takes no time.
class ManualClock final : public Clock {
 public:
  [[nodiscard]] Time now() const override { return Time(std::chrono::microseconds(wall_us_.load())); }
  [[nodiscard]] Instant instant() const override { return Instant(std::chrono::microseconds(steady_us_.load())); }
  bool wait(std::unique_lock<std::mutex>& /*lock*/, std::condition_variable_any& /*changed*/,
            const std::stop_token& /*stop*/, Instant end, const std::function<bool()>& is_met) const override {
    if (!is_met() && end > instant() && end != Instant::max()) {
      advance(std::chrono::ceil<std::chrono::microseconds>(end - instant()));
    }
    return is_met();
  }

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

}  // namespace slipway::base::testing
