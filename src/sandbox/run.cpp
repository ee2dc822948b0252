#include "sandbox/run.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <mutex>
#include <optional>
#include <thread>

#include <poll.h>
#include <unistd.h>

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/child_process.hpp"
#include "base/descriptor.hpp"
#include "base/files.hpp"
#include "sandbox/internal/bubblewrap.hpp"
#include "sandbox/internal/process_tree.hpp"

namespace slipway::sandbox {
namespace {

using base::Descriptor;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kMemoryCheckInterval{50};
constexpr milliseconds kDiskCheckInterval{1000};
constexpr milliseconds kDrainAfterEnd{1000};
constexpr milliseconds kNamespaceEnds{5000};
constexpr std::size_t kLongestLine = 8192;

/// Cuts a stream of bytes into lines.
class LineCutter {
 public:
  LineCutter(const LineSink& sink, std::uint64_t limit_bytes) : sink_(sink), limit_bytes_(limit_bytes) {}

  void append(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto end = bytes.find('\n');
      const auto piece = bytes.substr(0, end);
      const auto room = kLongestLine - std::min(kLongestLine, line_.size());
      line_.append(piece.substr(0, room));
      if (piece.size() > room) is_cut_ = true;
      if (end == std::string_view::npos) return;
      flush();
      bytes.remove_prefix(end + 1);
    }
  }
  void finish() {
    if (!line_.empty() || is_cut_) flush();
  }
  [[nodiscard]] std::uint64_t dropped_bytes() const { return dropped_bytes_; }

 private:
  void flush() {
    if (is_cut_) line_ += " [cut]";
    if (!line_.empty() && line_.back() == '\r') line_.pop_back();
    if (limit_bytes_ != 0 && recorded_bytes_ + line_.size() > limit_bytes_) {
      dropped_bytes_ += line_.size() + 1;
    } else {
      recorded_bytes_ += line_.size() + 1;
      if (sink_) sink_(line_);
    }
    line_.clear();
    is_cut_ = false;
  }

  const LineSink& sink_;
  std::uint64_t limit_bytes_;
  std::uint64_t recorded_bytes_ = 0, dropped_bytes_ = 0;
  std::string line_;
  bool is_cut_ = false;
};

void limit(int resource, rlim_t value) {
  const rlimit both{value, value};
  ::setrlimit(static_cast<__rlimit_resource>(resource), &both);
}

/// In the new process, before it becomes the program.
void leave_us(const Limits& limits) {
  ::setsid();
  ::umask(0022);
  for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_DFL);
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_MEMLOCK, 64 << 10);
  if (limits.file_bytes != 0) limit(RLIMIT_FSIZE, limits.file_bytes);
  if (limits.open_files != 0) limit(RLIMIT_NOFILE, limits.open_files);
#ifndef SLIPWAY_SANITIZED  // whose shadow is a reservation of terabytes
  // Reservations are common (arenas, the emulator), so this is a backstop; the watcher counts what is really used.
  if (limits.memory_bytes != 0) limit(RLIMIT_DATA, 4 * limits.memory_bytes + (rlim_t{4} << 30));
#endif
  if (limits.wall_time.count() != 0) {
    const auto seconds = static_cast<rlim_t>(limits.wall_time.count() / 1000 + 2);
    limit(RLIMIT_CPU, seconds * static_cast<rlim_t>(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN))));
  }
}

/// A started program: watched, stopped, and waited for.
class Running {
 public:
  Running(pid_t process, Descriptor output, bool in_namespaces)
      : process_(process),
        output_(std::move(output)),
        handle_(static_cast<int>(::syscall(SYS_pidfd_open, process, 0U))),
        in_namespaces_(in_namespaces) {}
  ~Running() {
    if (!has_ended_) {
      kill_tree();
      reap(0);
    }
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  Exit watch(const Command& command, const Limits& limits, const LineSink& sink, const std::stop_token& cancel) {
    Exit exit;
    LineCutter lines(sink, limits.log_bytes);
    const auto start = Clock::now();
    auto disk_due = start + kDiskCheckInterval;
    std::optional<Ending> stopped;
    while (!has_ended_) {
      read_output(lines, kMemoryCheckInterval);
      if (reap(WNOHANG)) break;
      stopped = reason_to_stop(limits, start, cancel, exit);
      if (!stopped && limits.disk_bytes != 0 && Clock::now() >= disk_due) {
        if (internal::disk_usage_of(command.folder) > limits.disk_bytes) stopped = Ending::kOutOfDisk;
        disk_due = Clock::now() + kDiskCheckInterval;
      }
      if (stopped) {
        kill_tree();
        reap(0);
      }
    }
    exit.wall_time = std::chrono::duration_cast<milliseconds>(Clock::now() - start);
    const auto drain_until = Clock::now() + kDrainAfterEnd;
    while (output_.get() >= 0 && Clock::now() < drain_until) read_output(lines, milliseconds(20));
    lines.finish();
    exit.dropped_log_bytes = lines.dropped_bytes();
    describe_end(exit, stopped);
    return exit;
  }

 private:
  std::optional<Ending> reason_to_stop(const Limits& limits, Clock::time_point start, const std::stop_token& cancel,
                                       Exit& exit) {
    if (cancel.stop_requested()) return Ending::kCancelled;
    const auto now = Clock::now();
    if (limits.wall_time.count() != 0 && now - start >= limits.wall_time) return Ending::kTimedOut;
    if (now < memory_check_due_) return std::nullopt;
    memory_check_due_ = now + kMemoryCheckInterval;
    const auto usage = internal::usage_of(members());
    exit.peak_memory_bytes = std::max(exit.peak_memory_bytes, usage.memory_bytes);
    exit.cpu_time = std::max(exit.cpu_time, usage.cpu_time);
    if (limits.memory_bytes != 0 && usage.memory_bytes > limits.memory_bytes) {
      exit.memory_limit_bytes = limits.memory_bytes;
      return Ending::kOutOfMemory;
    }
    // Behind bubblewrap two of the processes are its own.
    if (limits.processes != 0 && usage.processes > limits.processes + (in_namespaces_ ? 2 : 0)) {
      return Ending::kTooManyProcesses;
    }
    return std::nullopt;
  }

  /// Without namespaces an orphan leaves the tree but, as lock_down() denies setsid and setpgid, not the group.
  [[nodiscard]] std::vector<pid_t> members() const {
    return in_namespaces_ ? internal::tree_of(process_) : internal::group_of(process_);
  }

  void kill_tree() {
    if (in_namespaces_) {
      // The child of bubblewrap is the first process of the namespace: the kernel ends all others with it, however
      // fast they multiply, and bubblewrap ends when that is done.
      for (const pid_t child : internal::children_of(process_)) ::kill(child, SIGKILL);
      pollfd ended{handle_.get(), POLLIN, 0};
      ::poll(&ended, 1, static_cast<int>(kNamespaceEnds.count()));
    }
    ::kill(-process_, SIGKILL);
  }

  /// Takes note of the end of the first process. Its number stays its own until it has been waited for, so what is
  /// left of the group is killed just before.
  bool reap(int options) {
    siginfo_t ended{};
    while (::waitid(P_PID, static_cast<id_t>(process_), &ended, WEXITED | WNOWAIT | options) != 0 && errno == EINTR) {
    }
    if (ended.si_pid == 0 && options != 0) return false;
    ::kill(-process_, SIGKILL);
    while (::wait4(process_, &raw_status_, 0, &usage_) < 0 && errno == EINTR) {
    }
    has_ended_ = true;
    return true;
  }

  /// Waits until there is output, the program ends, or the time is over; then takes what is there.
  void read_output(LineCutter& lines, milliseconds patience) {
    std::array<pollfd, 2> waits{pollfd{output_.get(), POLLIN, 0}, pollfd{has_ended_ ? -1 : handle_.get(), POLLIN, 0}};
    if (::poll(waits.data(), waits.size(), static_cast<int>(patience.count())) <= 0) return;
    if (waits[0].revents == 0) return;
    std::array<char, 16384> buffer;
    const ssize_t count = ::read(output_.get(), buffer.data(), buffer.size());
    if (count > 0) lines.append({buffer.data(), static_cast<std::size_t>(count)});
    if (count == 0) output_.reset();
  }

  void describe_end(Exit& exit, std::optional<Ending> stopped) const {
    const auto milliseconds_of = [](const timeval& time) {
      return milliseconds(time.tv_sec * 1000 + time.tv_usec / 1000);
    };
    // A tree that was killed tells nothing of itself to its parent: then the last look counts.
    exit.cpu_time = std::max(exit.cpu_time, milliseconds_of(usage_.ru_utime) + milliseconds_of(usage_.ru_stime));
    exit.peak_memory_bytes =
        std::max(exit.peak_memory_bytes, static_cast<std::uint64_t>(std::max(0L, usage_.ru_maxrss)) * 1024);
    if (stopped) {
      exit.ending = *stopped;
      return;
    }
    if (WIFSIGNALED(raw_status_)) {
      exit.ending = Ending::kSignalled;
      exit.signal = WTERMSIG(raw_status_);
    } else {
      exit.status = WEXITSTATUS(raw_status_);
      // bubblewrap tells of a signal as a shell does.
      if (in_namespaces_ && exit.status > 128 && exit.status < 128 + NSIG) {
        exit.ending = Ending::kSignalled;
        exit.signal = exit.status - 128;
        exit.status = 0;
      }
    }
    // The kernel's own limits speak through signals.
    if (exit.signal == SIGXCPU) exit.ending = Ending::kTimedOut;
    if (exit.signal == SIGXFSZ) exit.ending = Ending::kOutOfDisk;
  }

  pid_t process_;
  Descriptor output_;
  Descriptor handle_;
  bool in_namespaces_;
  Clock::time_point memory_check_due_{};
  bool has_ended_ = false;
  int raw_status_ = 0;
  rusage usage_{};
};

base::Result<Exit> start_and_watch(const Command& command, const Limits& limits, const LineSink& sink,
                                   const std::stop_token& cancel, bool in_namespaces) {
  auto arguments = in_namespaces ? internal::bubblewrap_arguments(command) : command.arguments;
  const std::string isolation = in_namespaces ? "bubblewrap" : "no namespaces";
  std::vector<std::string> environment;
  for (const auto& [name, value] : command.environment) environment.push_back(name + "=" + value);
  environment.push_back(fmt::format("{}={}", kIsolationVariable, isolation));
  SLIPWAY_ASSIGN(base::Pipe output, base::make_pipe());
  SLIPWAY_ASSIGN(const pid_t process,
                 base::start_program({
                     .path = arguments.front(),
                     .arguments = arguments,
                     .environment = std::move(environment),
                     .folder = in_namespaces ? "/" : command.folder,
                     .descriptors = {{output.write.get(), STDOUT_FILENO}, {output.write.get(), STDERR_FILENO}},
                     .prepare = [&] { leave_us(limits); },
                 }));
  output.write.reset();
  Running running(process, std::move(output.read), in_namespaces);
  Exit exit = running.watch(command, limits, sink, cancel);
  exit.isolation = isolation;
  return exit;
}

NamespaceSupport find_namespaces() {
  if (internal::bubblewrap_program().empty()) return {false, "bubblewrap is not installed"};
  auto folder = base::TemporaryFolder::create("slipway-isolation-");
  if (!folder) return {false, folder.error().message};
  const Command probe{
      .arguments = {"/bin/true"}, .folder = folder->path(), .readable = {}, .read_only = {}, .environment = {}};
  Limits limits;
  limits.wall_time = std::chrono::seconds(10);
  std::string last_line;
  const auto exit = start_and_watch(
      probe, limits, [&](std::string_view line) { last_line = line; }, {}, true);
  if (!exit) return {false, exit.error().message};
  if (!exit->succeeded()) return {false, last_line.empty() ? exit->describe() : last_line};
  return {true, "bubblewrap works"};
}

}  // namespace

std::string Exit::describe() const {
  const double seconds = static_cast<double>(wall_time.count()) / 1000;
  switch (ending) {
    case Ending::kExited:
      return fmt::format("exit status {}", status);
    case Ending::kSignalled:
      return fmt::format("signal {} ({})", signal, ::strsignal(signal));
    case Ending::kTimedOut:
      return fmt::format("stopped after {:.1f} s: time limit", seconds);
    case Ending::kOutOfMemory:
      return fmt::format("stopped after {:.1f} s: memory limit of {} MB, {} MB in use", seconds,
                         memory_limit_bytes >> 20, peak_memory_bytes >> 20);
    case Ending::kOutOfDisk:
      return fmt::format("stopped after {:.1f} s: disk limit", seconds);
    case Ending::kTooManyProcesses:
      return fmt::format("stopped after {:.1f} s: limit of processes", seconds);
    case Ending::kCancelled:
      return fmt::format("cancelled after {:.1f} s", seconds);
  }
  return "ended";
}

const NamespaceSupport& probe_namespaces() {
  static const NamespaceSupport isolation = find_namespaces();
  return isolation;
}

base::Result<Exit> run(const Command& command, const Limits& limits, const LineSink& sink, std::stop_token cancel,
                       Isolation isolation) {
  if (command.arguments.empty() || !std::filesystem::path(command.arguments.front()).is_absolute()) {
    return base::fail(base::Code::kInvalidArgument, "the program to run needs an absolute path, found {}",
                      command.arguments.empty() ? "nothing" : command.arguments.front());
  }
  if (!command.folder.is_absolute()) {
    return base::fail(base::Code::kInvalidArgument, "the job folder needs an absolute path, found {}",
                      command.folder.string());
  }
  return start_and_watch(command, limits, sink, cancel, isolation == Isolation::kBest && probe_namespaces().bubblewrap);
}

}  // namespace slipway::sandbox
