#include "base/child_process.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <unistd.h>

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/descriptor.hpp"
#include "base/files.hpp"

namespace slipway::base {
namespace {

constexpr int kAboveAllWanted = 64;

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

/// Between fork and exec of a process with threads only what may be called in a signal handler is allowed: everything
/// is made beforehand.
void become(const Program& program, char* const* arguments, char* const* environment, int failure) {
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::syscall(SYS_close_range, 3U, ~0U, 1U << 2 /* CLOSE_RANGE_CLOEXEC */);
  // Out of the way of the numbers that are wanted.
  failure = ::fcntl(failure, F_DUPFD_CLOEXEC, kAboveAllWanted);
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ::dup2(nothing, STDIN_FILENO);
  for (const auto& [ours, theirs] : program.descriptors) {
    if (ours == theirs) {
      ::fcntl(ours, F_SETFD, 0);
    } else {
      ::dup2(ours, theirs);
    }
  }
  if (program.prepare) program.prepare();
  if (program.folder.empty() || ::chdir(program.folder.c_str()) == 0) {
    ::signal(SIGPIPE, SIG_DFL);  // what we ignore is ignored behind exec too
    ::execve(program.path.c_str(), arguments, environment);
  }
  const int reason = errno;
  [[maybe_unused]] const auto written = ::write(failure, &reason, sizeof(reason));
}

}  // namespace

Result<pid_t> start_copy(int death_signal, const std::function<void()>& body) {
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) return std::unexpected(errno_error(errno, "start a process"));
  if (child > 0) return child;
  ::prctl(PR_SET_PDEATHSIG, death_signal);
  if (::getppid() == parent) body();
  // Not exit(): buffers and handlers belong to the parent.
  ::_exit(127);
}

Result<pid_t> start_program(Program program) {
  const std::vector<char*> arguments = pointers_to(program.arguments);
  std::vector<char*> variables;
  if (program.environment) variables = pointers_to(*program.environment);
  char* const* const environment = program.environment ? variables.data() : environ;
  const std::string what = program.folder.empty()
                               ? fmt::format("start {}", program.path.string())
                               : fmt::format("start {} in {}", program.path.string(), program.folder.string());
  SLIPWAY_ASSIGN(Pipe failure, make_pipe());
  const auto child =
      start_copy(program.death_signal, [&] { become(program, arguments.data(), environment, failure.write.get()); });
  if (!child) return std::unexpected(child.error().with(what));
  failure.write.reset();
  int reason = 0;
  if (::read(failure.read.get(), &reason, sizeof(reason)) != sizeof(reason)) return *child;
  wait_for(*child);
  return std::unexpected(errno_error(reason, what));
}

std::string ProcessEnd::text() const {
  return signal != 0 ? fmt::format("signal {} ({})", signal, ::strsignal(signal))
                     : fmt::format("exit status {}", status);
}

ProcessEnd process_end_of(int status) {
  return WIFSIGNALED(status) ? ProcessEnd{-1, WTERMSIG(status)} : ProcessEnd{WEXITSTATUS(status), 0};
}

ProcessEnd wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return process_end_of(status);
}

}  // namespace slipway::base
