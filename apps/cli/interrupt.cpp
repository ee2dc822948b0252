#include "apps/cli/interrupt.hpp"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <mutex>
#include <thread>
#include <utility>

#include <poll.h>
#include <unistd.h>

#include "base/descriptor.hpp"
#include "base/output_file.hpp"
#include "runtime/session.hpp"

namespace slipway::cli {
namespace {

constexpr int kSignals[] = {SIGINT, SIGTERM, SIGHUP};
constexpr int kPatienceMs = 1700;  // the end comes within two seconds

struct State {
  base::Pipe pipe;  // from the handler to the thread
  std::atomic<int> signal = 0;
  std::atomic<bool> is_caught = false, is_child = false;
  std::stop_source stop;
  std::mutex mutex;
  std::function<std::string()> report;
};

// Never destroyed: signals come while the program's own objects go.
State& state() {
  static auto& only = *new State;
  return only;
}

volatile std::sig_atomic_t handler_end = -1;

void handle(int number) {
  const int before = errno;
  const auto byte = static_cast<char>(number);
  [[maybe_unused]] const auto written = ::write(handler_end, &byte, 1);
  errno = before;
}

[[noreturn]] void end_by_force(int number) {
  base::remove_unfinished();
  if (state().is_child) ::_exit(128 + number);
  std::string report;
  {
    const std::scoped_lock lock(state().mutex);
    if (state().report) report = state().report();
  }
  fmt::print(stderr, "\nslipway: stopped by {}{}\n",
             number == SIGINT ? std::string("Ctrl-C") : fmt::format("SIG{}", ::sigabbrev_np(number)), report);
  std::fflush(stderr);
  ::_exit(128 + number);
}

void begin_to_end(int number) {
  int none = 0;
  if (!state().signal.compare_exchange_strong(none, number)) return;
  state().stop.request_stop();
  runtime::every_run().cancel();
}

void watch() {
  char number = 0;
  while (::read(state().pipe.read.get(), &number, 1) != 1) {
  }
  if (!state().is_caught) end_by_force(number);
  begin_to_end(number);
  pollfd second{.fd = state().pipe.read.get(), .events = POLLIN, .revents = 0};
  ::poll(&second, 1, kPatienceMs);
  end_by_force(number);
}

}  // namespace

void watch_for_interrupts(bool is_child) {
  ::signal(SIGPIPE, SIG_IGN);
  auto pipe = base::make_pipe();
  if (!pipe) return;  // the system's own way stays
  // A copy of a process that watched begins anew: its pipe is the other's.
  state().pipe = std::move(*pipe);
  state().is_child = is_child;
  state().is_caught = false;
  handler_end = state().pipe.write.get();
  // The thread that is to end everything must not be the one that is interrupted.
  sigset_t all, before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread(watch).detach();
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  for (const int number : kSignals) {
    struct sigaction action {};
    ::sigaction(number, nullptr, &action);
    if (action.sa_handler == SIG_IGN) continue;
    action = {};
    action.sa_handler = handle;
    action.sa_flags = SA_RESTART;
    ::sigaction(number, &action, nullptr);
  }
}

void catch_first_interrupt() {
  state().is_caught = true;
}

void interrupt_with(int signal) {
  begin_to_end(signal);
}

bool was_interrupted() {
  return state().signal != 0;
}

int interrupting_signal() {
  return state().signal;
}

std::stop_token interrupt_token() {
  return state().stop.get_token();
}

void set_interrupt_report(std::function<std::string()> report) {
  const std::scoped_lock lock(state().mutex);
  state().report = std::move(report);
}

base::Result<void> unless_interrupted(base::Result<void> outcome) {
  if (!outcome && outcome.error().code == base::Code::kCancelled && was_interrupted()) return {};
  return outcome;
}

}  // namespace slipway::cli
