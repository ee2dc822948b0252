#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace slipway::cli {

/// One line on standard error that is drawn over itself: what is being done, how far it is, and the time left at the
/// pace so far. Silent when standard error is no terminal. Clears its line when it dies.
/// @thread one object belongs to one thread
class ProgressBar {
 public:
  ProgressBar();
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  /// @param total  0 when unknown: then only what is being done, and how much of it is done, is shown
  void update(std::string_view what, std::int64_t done, std::int64_t total);

  [[nodiscard]] bool is_visible() const { return is_visible_; }

  /// No bar is shown from here on.
  static void disable();
  /// Clears the line that a bar is showing, so that other text may stand there. @thread any
  static void wipe();

 private:
  using Clock = std::chrono::steady_clock;

  bool is_visible_;
  std::string what_;
  Clock::time_point started_, last_;
};

/// "0:07", "1:02:03"
[[nodiscard]] std::string duration_text(double seconds);

}  // namespace slipway::cli
