#pragma once

#include <chrono>

#include "base/error.hpp"
#include "runtime/profiling.hpp"

namespace slipway::pipelines {

/// Times of one image's way through a pipeline.
struct StageTimes {
  double pre_us = 0;
  double inference_us = 0;
  double post_us = 0;

  [[nodiscard]] double total_us() const { return pre_us + inference_us + post_us; }
};

/// Time since it was made or last asked.
class Stopwatch {
 public:
  /// Microseconds since the last call, and starts anew.
  [[nodiscard]] double lap_us() {
    const auto now = std::chrono::steady_clock::now();
    const double lap = std::chrono::duration<double, std::micro>(now - last_).count();
    last_ = now;
    return lap;
  }

 private:
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

/// What repeated runs of a pipeline took.
struct BenchReport {
  int warmup_runs = 0;
  runtime::Statistics pre, inference, post, total;
};

/// Runs `once` (a Result<StageTimes>()) for warm-up, then for the record.
/// @error the first error of a run
template <typename Once>
[[nodiscard]] base::Result<BenchReport> run_bench(int warmup_runs, int runs, const Once& once) {
  for (int i = 0; i < warmup_runs; ++i) SLIPWAY_TRY(once());
  std::vector<double> pre, inference, post, total;
  for (int i = 0; i < runs; ++i) {
    SLIPWAY_ASSIGN(const StageTimes times, once());
    pre.push_back(times.pre_us);
    inference.push_back(times.inference_us);
    post.push_back(times.post_us);
    total.push_back(times.total_us());
  }
  return BenchReport{warmup_runs, runtime::statistics_of(pre), runtime::statistics_of(inference),
                     runtime::statistics_of(post), runtime::statistics_of(total)};
}

}  // namespace slipway::pipelines
