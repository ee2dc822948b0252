#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>

namespace slipway::base {

/// Wall time in UTC, microseconds.
using Time = std::chrono::time_point<std::chrono::system_clock, std::chrono::microseconds>;

/// A point of time that only advances, whatever is done to the clock on the wall.
using Instant = std::chrono::steady_clock::time_point;

/// What time it is and how it passes, injected so that tests and simulations can turn it: who waits, waits by a clock,
/// and who starts a thread that waits, starts it by the clock.
/// @thread implementations are safe to call from any thread
class Clock {
 public:
  virtual ~Clock() = default;
  /// What the clock on the wall says. People and other machines set it, so it may jump either way.
  [[nodiscard]] virtual Time now() const = 0;
  /// For limits and leases.
  [[nodiscard]] virtual Instant instant() const = 0;

  /// Lets go of `lock` until `is_met`, until `end`, or until `stop` is asked for. Who changes what `is_met` looks at
  /// notifies `changed`.
  /// @param end  Instant::max(): no end
  /// @return is_met()
  virtual bool wait(std::unique_lock<std::mutex>& lock, std::condition_variable_any& changed,
                    const std::stop_token& stop, Instant end, const std::function<bool()>& is_met) const = 0;

  /// Lets `time` pass, or returns as soon as `stop` is asked for.
  void pause(std::chrono::milliseconds time, const std::stop_token& stop) const;

  /// Does `work` in a thread of its own, which ends by join().
  [[nodiscard]] virtual std::jthread start(std::function<void(const std::stop_token&)> work) const;
  /// Asks the thread to stop and waits for its end.
  virtual void join(std::jthread& thread) const;
};

class SystemClock final : public Clock {
 public:
  [[nodiscard]] Time now() const override {
    return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
  }
  [[nodiscard]] Instant instant() const override { return std::chrono::steady_clock::now(); }
  bool wait(std::unique_lock<std::mutex>& lock, std::condition_variable_any& changed, const std::stop_token& stop,
            Instant end, const std::function<bool()>& is_met) const override;
};

/// "2026-11-21T08:47:37.123Z"
[[nodiscard]] std::string iso8601(Time time);

}  // namespace slipway::base
