#include "media/input_stream.hpp"

#include <array>
#include <cerrno>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <sys/stat.h>

#include "base/files.hpp"

namespace slipway::media {

bool is_stream(const std::filesystem::path& path) {
  if (path == "-") return true;
  struct stat status = {};
  return ::stat(path.c_str(), &status) == 0 && (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode));
}

base::Result<base::Descriptor> open_stream(const std::filesystem::path& path) {
  base::Descriptor descriptor(path == "-" ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
                                          : ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (descriptor.is_open()) return descriptor;
  return std::unexpected(base::errno_error(errno, path == "-" ? "standard input" : path.string()));
}

base::Result<void> save_stream(const std::filesystem::path& path, const std::filesystem::path& at,
                               std::stop_token stop) {
  SLIPWAY_ASSIGN(const base::Descriptor from, open_stream(path));
  const base::Descriptor to(::open(at.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!to.is_open()) return std::unexpected(base::errno_error(errno, at.string()));
  std::array<char, 65536> piece;
  for (;;) {
    if (stop.stop_requested()) return base::fail(base::Code::kCancelled, "reading {} was stopped", path.string());
    pollfd ready{.fd = from.get(), .events = POLLIN, .revents = 0};
    constexpr int kPatienceMs = 50;
    if (::poll(&ready, 1, kPatienceMs) == 0) continue;
    const ssize_t count = ::read(from.get(), piece.data(), piece.size());
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (count < 0) return std::unexpected(base::errno_error(errno, path.string()));
    if (count == 0) return {};
    SLIPWAY_TRY(base::write_all(to.get(), {piece.data(), static_cast<std::size_t>(count)}, at.string()));
  }
}

}  // namespace slipway::media
