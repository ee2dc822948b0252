#include "apps/hub_server/folder_lock.hpp"

#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

#include <sys/file.h>

#include "base/files.hpp"

namespace slipway::apps::hub_server {

base::Result<FolderLock> FolderLock::acquire(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "lock";
  FolderLock lock(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock.descriptor_.is_open())
    return std::unexpected(base::errno_error(errno, fmt::format("open {}", file.string())));
  if (::flock(lock.descriptor_.get(), LOCK_EX | LOCK_NB) != 0) {
    return base::fail(base::Code::kUnavailable,
                      "{} is in use by another slipway-hub; stop that one or give another --data folder",
                      folder.string());
  }
  // What a former server wrote is no longer true.
  static_cast<void>(::ftruncate(lock.descriptor_.get(), 0));
  return lock;
}

base::Result<void> FolderLock::note_address(std::string_view address) const {
  const ssize_t written = ::pwrite(descriptor_.get(), address.data(), address.size(), 0);
  if (written == static_cast<ssize_t>(address.size())) return {};
  return std::unexpected(base::errno_error(written < 0 ? errno : ENOSPC, "write the lock file"));
}

std::string FolderLock::address_in(const std::filesystem::path& folder) {
  return base::read_file(folder / "lock", 1024).value_or("");
}

}  // namespace slipway::apps::hub_server
