#include "runtime/stdout_guard.hpp"

#include <cstdio>
#include <mutex>

#include <fcntl.h>
#include <unistd.h>

namespace slipway::runtime {
namespace {

std::mutex mutex;
int depth = 0;
int saved = -1;

}  // namespace

StdoutGuard::StdoutGuard() {
  const std::scoped_lock lock(mutex);
  if (depth++ > 0) return;
  std::fflush(stdout);
  saved = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
  if (saved >= 0) dup2(STDERR_FILENO, STDOUT_FILENO);
}

StdoutGuard::~StdoutGuard() {
  const std::scoped_lock lock(mutex);
  if (--depth > 0) return;
  std::fflush(stdout);  // what the library left in the buffer goes where it was sent
  if (saved < 0) return;
  dup2(saved, STDOUT_FILENO);
  close(saved);
  saved = -1;
}

}  // namespace slipway::runtime
