#pragma once

#include <chrono>
#include <string>

namespace slipway::base {

/// Wall-clock instants with microseconds, UTC.
using Time = std::chrono::time_point<std::chrono::system_clock, std::chrono::microseconds>;

/// The world's time, injected so that tests can turn it.
/// @thread implementations are safe to call from any thread
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual Time now() const = 0;
};

class SystemClock final : public Clock {
 public:
  [[nodiscard]] Time now() const override {
    return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
  }
};

/// "2026-11-21T08:47:37.123Z"
[[nodiscard]] std::string iso8601(Time time);

}  // namespace slipway::base
