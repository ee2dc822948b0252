#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace slipway::cli {

/// One line on standard error that is drawn over itself; silent when standard error is no terminal. Clears its line
/// when it dies.
class ProgressBar {
 public:
  ProgressBar();
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  /// @param total  0 when unknown: then only what is being done is shown
  void update(std::string_view what, std::int64_t done, std::int64_t total);

 private:
  bool is_visible_;
  std::string shown_;
  std::chrono::steady_clock::time_point last_;
};

}  // namespace slipway::cli
