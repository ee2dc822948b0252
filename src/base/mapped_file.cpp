#include "base/mapped_file.hpp"

#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

#include <sys/mman.h>
#include <sys/stat.h>

#include "base/descriptor.hpp"
#include "base/files.hpp"

namespace slipway::base {

Result<std::shared_ptr<const MappedFile>> MappedFile::open(const std::filesystem::path& path) {
  // Without O_NONBLOCK a pipe would wait for its writer.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat about {};
  if (!file.is_open() || ::fstat(file.get(), &about) != 0) return std::unexpected(errno_error(errno, path.string()));
  if (!S_ISREG(about.st_mode)) return fail(Code::kInvalidArgument, "{}: not a plain file", path.string());
  std::span<const std::byte> bytes;
  if (about.st_size > 0) {  // nothing cannot be mapped
    const auto size = static_cast<std::size_t>(about.st_size);
    void* const address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
    if (address == MAP_FAILED) return std::unexpected(errno_error(errno, path.string()));
    bytes = {static_cast<const std::byte*>(address), size};
  }
  return std::shared_ptr<const MappedFile>(new MappedFile(bytes));
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

}  // namespace slipway::base
