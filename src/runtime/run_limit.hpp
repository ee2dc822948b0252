#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

#include "base/error.hpp"
#include "runtime/session.hpp"

namespace slipway::runtime {

/// Stops the runs of a phase from within when their time is over or this process has grown too large. A run stops
/// between two nodes; one node that never ends is for the parent process.
class RunLimit {
 public:
  /// @param resident_bytes  of this process; 0: no limit, and nothing looks at it
  RunLimit(std::chrono::milliseconds time, std::uint64_t resident_bytes);
  ~RunLimit();
  RunLimit(const RunLimit&) = delete;
  RunLimit& operator=(const RunLimit&) = delete;

  /// For the runs that are limited.
  [[nodiscard]] CancelFlag* flag() { return &flag_; }

  /// Whether `runs` more, each as long as the last one, end within a share of the time.
  [[nodiscard]] bool has_room_for(int runs, double last_us, double share = 1) const;

  [[nodiscard]] double elapsed_us() const;

  /// What stopped a run. @pre one was stopped
  [[nodiscard]] base::Error reason() const;

 private:
  void watch(const std::stop_token& stop);

  const std::chrono::milliseconds time_;
  const std::uint64_t resident_bytes_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  CancelFlag flag_;
  mutable std::mutex mutex_;
  std::condition_variable_any woken_;
  std::uint64_t grown_to_bytes_ = 0;  ///< 0: memory was not the reason
  std::jthread watcher_;              ///< last: it uses all of the above
};

}  // namespace slipway::runtime
