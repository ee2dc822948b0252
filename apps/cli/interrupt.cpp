#include "apps/cli/interrupt.hpp"

#include <csignal>

namespace slipway::cli {
namespace {

volatile std::sig_atomic_t interrupted = 0;

}  // namespace

void catch_first_interrupt() {
  struct sigaction action {};
  action.sa_handler = [](int) { interrupted = 1; };
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
  sigaction(SIGINT, &action, nullptr);
}

bool was_interrupted() {
  return interrupted != 0;
}

}  // namespace slipway::cli
