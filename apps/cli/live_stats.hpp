#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <thread>
#include <vector>

#include "apps/cli/context.hpp"
#include "pipelines/common/frame_source.hpp"
#include "runtime/measured_time.hpp"

namespace slipway::cli {

/// `--stats`: says once a second, also when nothing comes, how many frames went through a run, how long each took from
/// its arrival (or its decoding) until its result was out, and how many frames of a camera were dropped. People read a
/// line on standard error; `--json` and `--json-file` get a line "stats/1". What is left over at the end is a line too,
/// so that the lines add up to the run.
class LiveStats {
 public:
  /// Begins to count.
  /// @param networks  where they run; an emulator's times are not shown
  LiveStats(Context& context, const runtime::TimeOrigin& networks);
  LiveStats(const LiveStats&) = delete;
  LiveStats& operator=(const LiveStats&) = delete;

  /// A frame's result is out. @thread any
  void add(const pipelines::SourceFrame& frame);

  /// Ends the seconds, with a line for the last one if there is anything to say. Call once.
  void finish();

 private:
  using Clock = std::chrono::steady_clock;

  /// What happened since the line before.
  struct Interval {
    std::vector<double> latencies_us;
    std::int64_t dropped = 0;
    std::filesystem::path input;  ///< of the latest frame
  };

  void tick(const std::stop_token& stop);
  /// @pre the lock is held; it is let go while a line is written
  void tell(std::unique_lock<std::mutex>& lock);

  Context& context_;
  const runtime::TimeOrigin networks_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  Interval interval_;
  Clock::time_point begin_ = Clock::now();
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace slipway::cli
