#include "apps/cli/supervised_program.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

#include <fcntl.h>

#include <sys/wait.h>

#include "base/child_process.hpp"
#include "base/descriptor.hpp"

namespace slipway::cli {
namespace {

using std::chrono::milliseconds;
using SteadyClock = std::chrono::steady_clock;

constexpr milliseconds kFirstPause{100}, kLongestPause{5000};
/// A child that lived as long has earned a quick restart.
constexpr std::chrono::seconds kProvenLife{10};

}  // namespace

base::Result<void> SupervisedProgram::start() {
  SLIPWAY_ASSIGN(base::Pipe pipe, base::make_pipe());
  SLIPWAY_ASSIGN(pid_, base::start_program({
                           .path = arguments_.front(),
                           .arguments = arguments_,
                           .environment = std::nullopt,
                           .folder = {},
                           .descriptors = {{pipe.write.get(), STDOUT_FILENO}},
                           .death_signal = SIGTERM,
                           .prepare = [] { ::setpgid(0, 0); },  // Ctrl-C reaches us alone, and we end them in order
                       }));
  output_ = std::move(pipe.read);
  ::fcntl(output_.get(), F_SETFL, O_NONBLOCK);
  rest_.clear();
  started_ = SteadyClock::now();
  return {};
}

std::vector<std::string> SupervisedProgram::read_lines() {
  std::array<char, 4096> buffer;
  for (;;) {
    const ssize_t count = ::read(output_.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      if (count == 0) output_.reset();
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

std::optional<std::string> SupervisedProgram::reap() {
  int status = 0;
  if (pid_ <= 0 || ::waitpid(pid_, &status, WNOHANG) != pid_) return std::nullopt;
  pid_ = -1;
  const auto now = SteadyClock::now();
  if (now - started_ >= kProvenLife) pause_ = kFirstPause;
  restart_due_ = now + pause_;
  pause_ = std::min(2 * pause_, kLongestPause);
  const base::ProcessEnd end = base::process_end_of(status);
  last_status_ = end.status;
  return end.text();
}

void SupervisedProgram::signal(int number) const {
  if (pid_ > 0) ::kill(pid_, number);
}

}  // namespace slipway::cli
