#include "runtime/stdout_guard.hpp"

#include <cstdio>
#include <mutex>

#include <fcntl.h>
#include <unistd.h>

#include "base/descriptor.hpp"

namespace slipway::runtime {
namespace {

std::mutex mutex;
int depth = 0;
// Never destroyed: a session that was left behind in its own thread may end while the program does.
base::Descriptor& saved = *new base::Descriptor;

}  // namespace

StdoutGuard::StdoutGuard() {
  const std::scoped_lock lock(mutex);
  if (depth++ > 0) return;
  std::fflush(stdout);
  saved = base::Descriptor(fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3));
  if (saved.is_open()) dup2(STDERR_FILENO, STDOUT_FILENO);
}

StdoutGuard::~StdoutGuard() {
  const std::scoped_lock lock(mutex);
  if (--depth > 0) return;
  std::fflush(stdout);  // what the library left in the buffer goes where it was sent
  if (!saved.is_open()) return;
  dup2(saved.get(), STDOUT_FILENO);
  saved.reset();
}

}  // namespace slipway::runtime
