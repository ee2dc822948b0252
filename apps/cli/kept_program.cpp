#include "apps/cli/kept_program.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include <fcntl.h>
#include <unistd.h>

#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/files.hpp"

namespace slipway::cli {
namespace {

using std::chrono::milliseconds;
using SteadyClock = std::chrono::steady_clock;

constexpr milliseconds kFirstPause{100}, kLongestPause{5000};
/// A child that lived as long has earned a quick restart.
constexpr std::chrono::seconds kProvenLife{10};

/// In the new process, until it becomes the program.
[[noreturn]] void become(char* const* arguments, int output, int failure, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(127);
  ::setpgid(0, 0);  // Ctrl-C reaches us alone, and we end the children in order
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  const int nothing = ::open("/dev/null", O_RDONLY);
  ::dup2(nothing, STDIN_FILENO);
  if (nothing > STDERR_FILENO) ::close(nothing);
  ::dup2(output, STDOUT_FILENO);
  ::execv(arguments[0], arguments);
  const int reason = errno;
  [[maybe_unused]] const auto written = ::write(failure, &reason, sizeof(reason));
  ::_exit(127);
}

}  // namespace

KeptProgram::~KeptProgram() {
  if (output_ >= 0) ::close(output_);
}

base::Result<void> KeptProgram::start() {
  std::vector<char*> arguments;
  for (auto& argument : arguments_) arguments.push_back(argument.data());
  arguments.push_back(nullptr);
  std::array<int, 2> output{}, failure{};
  if (::pipe2(output.data(), O_CLOEXEC) != 0) return std::unexpected(base::errno_error(errno, "make a pipe"));
  if (::pipe2(failure.data(), O_CLOEXEC) != 0) {
    const int pipe_error = errno;
    ::close(output[0]);
    ::close(output[1]);
    return std::unexpected(base::errno_error(pipe_error, "make a pipe"));
  }
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid == 0) become(arguments.data(), output[1], failure[1], parent);
  const int fork_error = errno;
  ::close(output[1]);
  ::close(failure[1]);
  int reason = pid < 0 ? fork_error : 0;
  const bool has_failed = pid < 0 || ::read(failure[0], &reason, sizeof(reason)) == sizeof(reason);
  ::close(failure[0]);
  if (has_failed) {
    ::close(output[0]);
    if (pid > 0) ::waitpid(pid, nullptr, 0);
    return std::unexpected(base::errno_error(reason, fmt::format("start {}", arguments_.front())));
  }
  if (output_ >= 0) ::close(output_);
  output_ = output[0];
  ::fcntl(output_, F_SETFL, O_NONBLOCK);
  rest_.clear();
  pid_ = pid;
  started_ = SteadyClock::now();
  return {};
}

std::vector<std::string> KeptProgram::read_lines() {
  std::array<char, 4096> buffer;
  for (;;) {
    const ssize_t count = ::read(output_, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      if (count == 0) {
        ::close(output_);
        output_ = -1;
      }
      break;
    }
    rest_.append(buffer.data(), static_cast<std::size_t>(count));
  }
  std::vector<std::string> lines;
  for (auto end = rest_.find('\n'); end != std::string::npos; end = rest_.find('\n')) {
    lines.push_back(rest_.substr(0, end));
    rest_.erase(0, end + 1);
  }
  return lines;
}

std::optional<std::string> KeptProgram::reap() {
  int status = 0;
  if (pid_ <= 0 || ::waitpid(pid_, &status, WNOHANG) != pid_) return std::nullopt;
  pid_ = -1;
  const auto now = SteadyClock::now();
  if (now - started_ >= kProvenLife) pause_ = kFirstPause;
  restart_due_ = now + pause_;
  pause_ = std::min(2 * pause_, kLongestPause);
  if (WIFSIGNALED(status)) {
    last_status_ = -1;
    return fmt::format("signal {} ({})", WTERMSIG(status), ::strsignal(WTERMSIG(status)));
  }
  last_status_ = WEXITSTATUS(status);
  return fmt::format("exit status {}", last_status_);
}

void KeptProgram::signal(int number) const {
  if (pid_ > 0) ::kill(pid_, number);
}

}  // namespace slipway::cli
