#include "hub/storage/files/open_file.hpp"

#include <algorithm>
#include <cerrno>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "base/files.hpp"

namespace slipway::hub::storage {

using base::Code;
using base::Result;

Result<OpenFile> OpenFile::open(const std::filesystem::path& path, int flags) {
  OpenFile file;
  file.descriptor_ = base::Descriptor(::open(path.c_str(), flags | O_CLOEXEC, 0600));
  if (!file.descriptor_.is_open()) return std::unexpected(base::errno_error(errno, "open " + path.string()));
  return file;
}

Result<void> OpenFile::write_at(std::uint64_t offset, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(descriptor_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return std::unexpected(base::errno_error(errno, "write"));
    bytes = bytes.subspan(static_cast<std::size_t>(written));
    offset += static_cast<std::uint64_t>(written);
  }
  return {};
}

Result<std::size_t> OpenFile::read_at(std::uint64_t offset, std::span<std::byte> into) const {
  std::size_t count = 0;
  while (count < into.size()) {
    const ssize_t got =
        ::pread(descriptor_.get(), into.data() + count, into.size() - count, static_cast<off_t>(offset + count));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::unexpected(base::errno_error(errno, "read"));
    if (got == 0) break;
    count += static_cast<std::size_t>(got);
  }
  return count;
}

Result<void> OpenFile::copy_from(const OpenFile& source, std::uint64_t source_offset, std::uint64_t size_bytes,
                                 std::uint64_t offset) {
  std::vector<std::byte> buffer(1U << 20);
  while (size_bytes > 0) {
    const std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(size_bytes, buffer.size()));
    SLIPWAY_ASSIGN(const std::size_t count, source.read_at(source_offset, std::span(buffer).first(wanted)));
    if (count == 0) return base::fail(Code::kDataLoss, "a part is {} bytes shorter than its record says", size_bytes);
    SLIPWAY_TRY(write_at(offset, std::span(buffer).first(count)));
    source_offset += count;
    offset += count;
    size_bytes -= count;
  }
  return {};
}

Result<void> OpenFile::truncate(std::uint64_t size_bytes) {
  if (::ftruncate(descriptor_.get(), static_cast<off_t>(size_bytes)) == 0) return {};
  return std::unexpected(base::errno_error(errno, "truncate"));
}

Result<void> OpenFile::sync() {
  if (::fsync(descriptor_.get()) == 0) return {};
  return std::unexpected(base::errno_error(errno, "fsync"));
}

}  // namespace slipway::hub::storage
