#pragma once

#include <csignal>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

#include "base/error.hpp"

namespace slipway::base {

/// A program as a process of its own. Its standard input is empty, no signal is blocked, and of our descriptors it has
/// standard output, standard error and those that are named.
struct Program {
  std::filesystem::path path;
  std::vector<std::string> arguments;                   ///< its own name first
  std::optional<std::vector<std::string>> environment;  ///< "NAME=value"; nothing: ours
  std::filesystem::path folder;                         ///< where it begins; empty: where we are
  std::vector<std::pair<int, int>> descriptors;         ///< one of ours, and the number it has there
  int death_signal = SIGKILL;                           ///< what it gets when the thread that started it ends
  /// Called in the new process before it becomes the program; of a process with threads only what may be called in a
  /// signal handler.
  std::function<void()> prepare;
};

/// @error as errno_error: no such program, no such folder, no more processes
[[nodiscard]] Result<pid_t> start_program(Program program);

/// A copy of this process that calls `body` and ends; it does not come back.
/// @error as errno_error
[[nodiscard]] Result<pid_t> start_copy(int death_signal, const std::function<void()>& body);

/// How a process ended.
struct ProcessEnd {
  int status = 0;                          ///< what it said itself; -1 after a signal
  int signal = 0;                          ///< that ended it; 0: none did
  [[nodiscard]] std::string text() const;  ///< "exit status 1", "signal 9 (Killed)"
};
/// @param status  as waitpid(2) gives it
[[nodiscard]] ProcessEnd process_end_of(int status);

/// Waits for a child's end.
ProcessEnd wait_for(pid_t child);

}  // namespace slipway::base
