#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"

namespace slipway::sandbox {

/// A program to run on behalf of a stranger.
struct Command {
  std::vector<std::string> arguments;            ///< the program's absolute path first
  std::filesystem::path folder;                  ///< the only writable place; working directory; absolute
  std::vector<std::filesystem::path> readable;   ///< seen read-only besides the system's: program, libraries
  std::vector<std::filesystem::path> read_only;  ///< places inside `folder` that stay as they are
  std::vector<std::pair<std::string, std::string>> environment;  ///< all of it; nothing is inherited
};

/// What a program may use. Zero means that the limit is not set.
struct Limits {
  std::chrono::milliseconds wall_time{0};
  std::uint64_t memory_bytes = 0;  ///< anonymous and shared memory of the whole tree, looked at every 50 ms
  std::uint64_t disk_bytes = 0;    ///< everything below the folder, looked at every second
  std::uint64_t file_bytes = 0;    ///< one file
  std::uint64_t open_files = 1024;
  int processes = 64;                  ///< of the whole tree
  std::uint64_t log_bytes = 4U << 20;  ///< lines beyond it are counted, not kept
};

/// What is around the program that it does not build itself.
enum class Isolation {
  kBest,   ///< bubblewrap when it works here, otherwise kPlain
  kPlain,  ///< limits only; the program must call lock_down()
};

/// Why a program ended.
enum class Ending { kExited, kSignalled, kTimedOut, kOutOfMemory, kOutOfDisk, kTooManyProcesses, kCancelled };

struct Exit {
  Ending ending = Ending::kExited;
  int status = 0;  ///< kExited only
  int signal = 0;  ///< kSignalled only
  std::chrono::milliseconds wall_time{0};
  std::chrono::milliseconds cpu_time{0};  ///< user and system, the whole tree
  std::uint64_t peak_memory_bytes = 0;    ///< of the tree as sampled, or of its largest process if that is more
  std::uint64_t memory_limit_bytes = 0;   ///< kOutOfMemory only
  std::uint64_t dropped_log_bytes = 0;
  std::string isolation;  ///< "bubblewrap" or "no namespaces: …"

  [[nodiscard]] bool succeeded() const { return ending == Ending::kExited && status == 0; }
  /// "exit status 3", "signal 11 (Segmentation fault)", "stopped after 30 s: time limit" …
  [[nodiscard]] std::string describe() const;
};

/// Called with each line of the program's output, without its end of line, from the thread that called run().
using LineSink = std::function<void(std::string_view line)>;

/// Starts a program in its own session, waits for it, and leaves nothing of its process tree behind, whatever happens.
/// Standard input is empty, standard output and error go to `sink` line by line (a line is cut at 8 KiB).
///
/// The program finds its isolation's name in the environment variable kIsolationVariable. With bubblewrap it runs in
/// new user, mount, process, network, IPC, UTS and cgroup namespaces and sees the system's programs and libraries
/// read-only, a private /tmp of 64 MiB, /proc, a minimal /dev, and `folder`.
///
/// @error kNotFound, kPermissionDenied: the program cannot be started; kInvalidArgument: a path is not absolute
/// @thread any number of runs at once; the program is killed when the calling thread ends (PR_SET_PDEATHSIG)
[[nodiscard]] base::Result<Exit> run(const Command& command, const Limits& limits, const LineSink& sink,
                                     std::stop_token cancel = {}, Isolation isolation = Isolation::kBest);

/// Whether bubblewrap works on this machine, found out once by starting /bin/true in it.
struct NamespaceSupport {
  bool bubblewrap = false;
  std::string detail;  ///< its version, or why it does not work
};
[[nodiscard]] const NamespaceSupport& probe_namespaces();

inline constexpr const char* kIsolationVariable = "SLIPWAY_ISOLATION";

}  // namespace slipway::sandbox
