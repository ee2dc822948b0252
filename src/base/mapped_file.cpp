#include "base/mapped_file.hpp"

#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

#include <sys/mman.h>
#include <sys/stat.h>

#include "base/files.hpp"

namespace slipway::base {

Result<std::shared_ptr<const MappedFile>> MappedFile::open(const std::filesystem::path& path) {
  // Without O_NONBLOCK a pipe would wait for its writer.
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return std::unexpected(errno_error(errno, path.string()));
  std::span<const std::byte> bytes;
  struct stat about {};
  Result<void> outcome;
  if (::fstat(descriptor, &about) != 0) {
    outcome = std::unexpected(errno_error(errno, path.string()));
  } else if (!S_ISREG(about.st_mode)) {
    outcome = fail(Code::kInvalidArgument, "{}: not a plain file", path.string());
  } else if (about.st_size > 0) {  // nothing cannot be mapped
    const auto size = static_cast<std::size_t>(about.st_size);
    void* const address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (address == MAP_FAILED) {
      outcome = std::unexpected(errno_error(errno, path.string()));
    } else {
      bytes = {static_cast<const std::byte*>(address), size};
    }
  }
  ::close(descriptor);
  if (!outcome) return std::unexpected(std::move(outcome).error());
  return std::shared_ptr<const MappedFile>(new MappedFile(bytes));
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

}  // namespace slipway::base
