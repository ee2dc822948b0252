#include "runtime/run_limit.hpp"

#include <algorithm>

#include "runtime/process_memory.hpp"

namespace slipway::runtime {
namespace {

constexpr std::chrono::milliseconds kMemoryCheckInterval{50};

}  // namespace

RunLimit::RunLimit(std::chrono::milliseconds time, std::uint64_t resident_bytes)
    : time_(time), resident_bytes_(resident_bytes), watcher_([this](const std::stop_token& stop) { watch(stop); }) {}

RunLimit::~RunLimit() = default;

void RunLimit::watch(const std::stop_token& stop) {
  const auto end = start_ + time_;
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    const auto now = std::chrono::steady_clock::now();
    const std::uint64_t resident = resident_bytes_ != 0 ? resident_set().now_bytes : 0;
    if (resident > resident_bytes_) grown_to_bytes_ = resident;
    if (now >= end || grown_to_bytes_ != 0) return flag_.cancel();
    woken_.wait_until(lock, stop, resident_bytes_ != 0 ? std::min(end, now + kMemoryCheckInterval) : end,
                      [] { return false; });
  }
}

double RunLimit::elapsed_us() const {
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start_).count();
}

bool RunLimit::has_room_for(int runs, double last_us, double share) const {
  return elapsed_us() + runs * last_us <= share * std::chrono::duration<double, std::micro>(time_).count();
}

base::Error RunLimit::reason() const {
  const std::scoped_lock lock(mutex_);
  if (grown_to_bytes_ != 0) {
    return {base::Code::kResourceExhausted,
            fmt::format("the process had grown to {} MB, where {} MB are allowed", grown_to_bytes_ >> 20U,
                        resident_bytes_ >> 20U),
            base::Reason::kOutOfMemory};
  }
  return {base::Code::kDeadlineExceeded,
          fmt::format("no run ended within the {:.1f} s that were left for runs: allow more time",
                      std::chrono::duration<double>(time_).count())};
}

}  // namespace slipway::runtime
