#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "base/descriptor.hpp"
#include "base/error.hpp"

namespace slipway::cli {

/// A program beside this one that is kept running. Its standard error is ours, its standard output is read line by
/// line, and it ends with us, even when we are killed.
/// @thread start() from the thread that lives as long as the process: the kernel ties the child's life to it
class SupervisedProgram {
 public:
  /// @param arguments  the program's path first
  explicit SupervisedProgram(std::vector<std::string> arguments) : arguments_(std::move(arguments)) {}
  void set_arguments(std::vector<std::string> arguments) { arguments_ = std::move(arguments); }

  /// @error kNotFound, kPermissionDenied: the program cannot be started
  [[nodiscard]] base::Result<void> start();

  [[nodiscard]] bool is_running() const { return pid_ > 0; }
  /// Where its standard output is to be polled; -1 when there is none.
  [[nodiscard]] int output() const { return output_.get(); }
  /// Takes what is there to read and gives the whole lines.
  [[nodiscard]] std::vector<std::string> read_lines();

  /// Notes its end without waiting. @return how it ended, once: "exit status 1", "signal 9 (Killed)"
  [[nodiscard]] std::optional<std::string> reap();
  /// Exit status of the last end; -1 after a signal.
  [[nodiscard]] int last_status() const { return last_status_; }

  void signal(int number) const;

  /// When it should be started again after an end: at once at first, later and later when it keeps falling.
  [[nodiscard]] std::chrono::steady_clock::time_point restart_due() const { return restart_due_; }

 private:
  std::vector<std::string> arguments_;
  pid_t pid_ = -1;
  base::Descriptor output_;
  std::string rest_;
  int last_status_ = -1;
  std::chrono::steady_clock::time_point started_, restart_due_;
  std::chrono::milliseconds pause_{100};
};

}  // namespace slipway::cli
