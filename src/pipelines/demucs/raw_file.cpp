#include "pipelines/demucs/raw_file.hpp"

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include <sys/stat.h>

#include "base/files.hpp"

namespace slipway::pipelines::demucs {

using base::Code;
using base::fail;
using base::Result;

Result<RawFileWriter> RawFileWriter::create(const std::filesystem::path& path) {
  SLIPWAY_ASSIGN(base::OutputFile file, base::OutputFile::create(path));
  return RawFileWriter(std::move(file));
}

Result<void> RawFileWriter::write(std::span<const float> values) {
  return file_.write({reinterpret_cast<const char*>(values.data()), values.size_bytes()});
}

Result<void> RawFileWriter::finish() {
  return file_.publish();
}

RawFileReader::RawFileReader(std::filesystem::path path, base::Descriptor descriptor, std::uint64_t size_bytes)
    : path_(std::move(path)), descriptor_(std::move(descriptor)), size_bytes_(size_bytes) {}

Result<RawFileReader> RawFileReader::open(const std::filesystem::path& path) {
  base::Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) return std::unexpected(base::errno_error(errno, path.string()));
  struct stat status {};
  if (::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return fail(Code::kInvalidArgument, "{}: expected a file", path.string());
  }
  return RawFileReader(path, std::move(file), static_cast<std::uint64_t>(status.st_size));
}

Result<void> RawFileReader::read(std::span<float> values) {
  auto bytes = std::as_writable_bytes(values);
  while (!bytes.empty()) {
    const ssize_t count = ::read(descriptor_.get(), bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return std::unexpected(base::errno_error(errno, path_.string()));
    if (count == 0) return fail(Code::kDataLoss, "{}: ended early", path_.string());
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return {};
}

}  // namespace slipway::pipelines::demucs
