#include "base/descriptor.hpp"

#include <array>
#include <cerrno>

#include <fcntl.h>

#include "base/files.hpp"

namespace slipway::base {

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return std::unexpected(errno_error(errno, "make a pipe"));
  return Pipe{Descriptor(ends[0]), Descriptor(ends[1])};
}

Result<void> write_all(int descriptor, std::string_view bytes, std::string_view what) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno != EINTR) return std::unexpected(errno_error(errno, what));
    if (written > 0) bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

}  // namespace slipway::base
