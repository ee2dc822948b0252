#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <thread>

#include "base/clock.hpp"
#include "hub/executor/internal/job.hpp"

namespace slipway::hub::executor {

/// While it lives: shortly before the job's process is ended from outside, asks what there is by then and ends the
/// process with it. So what was finished stays when what goes on never ends, which nothing but the end of the process
/// stops.
class BeforeTheLimit {
 public:
  /// @param what_there_is  called in another thread; nothing: not enough to keep, the process is ended from outside
  BeforeTheLimit(const JobContext& job, std::function<std::optional<domain::JobOutcome>()> what_there_is) {
    if (!job.tools.deadline || !job.tools.end) return;
    thread_ = std::jthread([end = job.tools.end, deadline = *job.tools.deadline,
                            what = std::move(what_there_is)](const std::stop_token& stop) {
      const base::SystemClock clock;
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - clock.instant());
      const auto reserve = std::clamp(left / 10, std::chrono::milliseconds(500), std::chrono::milliseconds(10'000));
      clock.pause(left - reserve, stop);
      if (stop.stop_requested()) return;
      if (const auto outcome = what()) end(*outcome);
    });
  }

 private:
  std::jthread thread_;
};

}  // namespace slipway::hub::executor
