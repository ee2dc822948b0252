#pragma once

#include <chrono>
#include <stop_token>
#include <string>

namespace slipway::base {

/// Wall-clock instants with microseconds, UTC.
using Time = std::chrono::time_point<std::chrono::system_clock, std::chrono::microseconds>;

/// Instants for measuring how much time passes: never stepped, and worth nothing outside of the process.
using Instant = std::chrono::steady_clock::time_point;

/// The world's time, injected so that tests and simulations can turn it.
/// @thread implementations are safe to call from any thread
class Clock {
 public:
  virtual ~Clock() = default;
  /// What the clock on the wall says. People and other machines set it, so it may jump either way.
  [[nodiscard]] virtual Time now() const = 0;
  /// For limits and leases.
  [[nodiscard]] virtual Instant instant() const = 0;
  /// Lets `time` pass, or returns as soon as `stop` is asked for.
  virtual void pause(std::chrono::milliseconds time, const std::stop_token& stop) const = 0;
};

class SystemClock final : public Clock {
 public:
  [[nodiscard]] Time now() const override {
    return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
  }
  [[nodiscard]] Instant instant() const override { return std::chrono::steady_clock::now(); }
  void pause(std::chrono::milliseconds time, const std::stop_token& stop) const override;
};

/// "2026-11-21T08:47:37.123Z"
[[nodiscard]] std::string iso8601(Time time);

}  // namespace slipway::base
