#include "base/clock.hpp"

#include <fmt/chrono.h>

#include "base/pause.hpp"

namespace slipway::base {

void SystemClock::pause(std::chrono::milliseconds time, const std::stop_token& stop) const {
  base::pause(time, stop);
}

std::string iso8601(Time time) {
  const auto since_epoch = std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch());
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since_epoch);
  const std::time_t whole = seconds.count();
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(whole), (since_epoch - seconds).count());
}

}  // namespace slipway::base
