#include "base/clock.hpp"

#include <fmt/chrono.h>

namespace slipway::base {

void Clock::pause(std::chrono::milliseconds time, const std::stop_token& stop) const {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::unique_lock lock(mutex);
  wait(lock, changed, stop, instant() + time, [] { return false; });
}

std::jthread Clock::start(std::function<void(const std::stop_token&)> work) const {
  return std::jthread(std::move(work));
}

void Clock::join(std::jthread& thread) const {
  if (!thread.joinable()) return;
  thread.request_stop();
  thread.join();
}

bool SystemClock::wait(std::unique_lock<std::mutex>& lock, std::condition_variable_any& changed,
                       const std::stop_token& stop, Instant end, const std::function<bool()>& is_met) const {
  return end == Instant::max() ? changed.wait(lock, stop, is_met) : changed.wait_until(lock, stop, end, is_met);
}

std::string iso8601(Time time) {
  const auto since_epoch = std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch());
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since_epoch);
  const std::time_t whole = seconds.count();
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(whole), (since_epoch - seconds).count());
}

}  // namespace slipway::base
