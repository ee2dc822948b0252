#include "apps/cli/live_stats.hpp"

#include <cstdio>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "apps/cli/progress_bar.hpp"
#include "apps/cli/report.hpp"
#include "apps/cli/table.hpp"

namespace slipway::cli {

using nlohmann::ordered_json;

namespace {

constexpr std::chrono::seconds kInterval{1};

std::string latency_text(const runtime::Statistics& all, const runtime::TimeOrigin& networks) {
  const auto text = [&](double us) { return time_text({us, networks}); };
  return fmt::format("{}, p90 {}, p99 {}, longest {}", text(all.median_us), text(all.p90_us), text(all.p99_us),
                     text(all.max_us));
}

}  // namespace

LiveStats::LiveStats(Context& context, const runtime::TimeOrigin& networks)
    : context_(context), networks_(networks), thread_([this](const std::stop_token& stop) { tick(stop); }) {}

void LiveStats::add(const pipelines::SourceFrame& frame) {
  const auto latency = Clock::now() - frame.captured_at;
  const std::scoped_lock lock(mutex_);
  interval_.latencies_us.push_back(std::chrono::duration<double, std::micro>(latency).count());
  interval_.dropped += frame.dropped;
  interval_.input = frame.path;
}

void LiveStats::tick(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  for (Clock::time_point next = begin_ + kInterval;; next += kInterval) {
    changed_.wait_until(lock, stop, next, [] { return false; });
    if (stop.stop_requested()) return;
    tell(lock);
  }
}

void LiveStats::tell(std::unique_lock<std::mutex>& lock) {
  const Interval interval = std::exchange(interval_, {.latencies_us = {}, .dropped = 0, .input = interval_.input});
  const Clock::time_point now = Clock::now();
  const double seconds = std::chrono::duration<double>(now - std::exchange(begin_, now)).count();
  lock.unlock();

  const std::size_t frames = interval.latencies_us.size();
  const runtime::MeasuredValue<double> rate(static_cast<double>(frames) / seconds, networks_);
  const runtime::MeasuredStatistics latency(runtime::statistics_of(interval.latencies_us), networks_);
  ordered_json json = {{"input", interval.input.empty() ? ordered_json() : ordered_json(interval.input.string())},
                       {"seconds", seconds},
                       {"frames", frames},
                       {"frames_per_second", rate.value() ? ordered_json(*rate.value()) : ordered_json()},
                       {"latency", frames > 0 ? json_of(latency) : ordered_json()},
                       {"dropped", interval.dropped}};
  // Said by finish() of the context what went wrong.
  static_cast<void>(context_.emit("stats/1", json));
  if (!context_.is_json() && !context_.is_quiet()) {
    std::string text = counted(static_cast<std::int64_t>(frames), "frame");
    if (rate.value()) text += fmt::format(", {:.1f} a second", *rate.value());
    if (frames > 0 && latency.value()) {
      text += fmt::format("; from arrival to result {}", latency_text(*latency.value(), networks_));
    }
    ProgressBar::wipe();
    fmt::print(stderr, "{}; {} dropped\n", text, interval.dropped);
  }
  lock.lock();
}

void LiveStats::finish() {
  thread_.request_stop();
  thread_.join();
  std::unique_lock lock(mutex_);
  if (!interval_.latencies_us.empty() || interval_.dropped > 0) tell(lock);
}

}  // namespace slipway::cli
