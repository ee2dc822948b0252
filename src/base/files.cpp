#include "base/files.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>

#include <fcntl.h>
#include <unistd.h>

#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/descriptor.hpp"
#include "base/output_file.hpp"
#include "base/unfinished.hpp"

namespace slipway::base {
namespace {

Result<void> sync_path(const std::filesystem::path& path, int flags) {
  const Descriptor file(::open(path.c_str(), flags | O_CLOEXEC));
  if (!file.is_open()) return std::unexpected(errno_error(errno, fmt::format("open {} to sync it", path.string())));
  if (::fsync(file.get()) != 0) return std::unexpected(errno_error(errno, fmt::format("fsync {}", path.string())));
  return {};
}

std::filesystem::path folder_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

// Names of open descriptors: /dev/stdout leads to one.
bool names_descriptor(const std::filesystem::path& path) {
  return path.string().starts_with("/proc/") || path.string().starts_with("/dev/fd/");
}

}  // namespace

std::filesystem::path behind_links(std::filesystem::path path) {
  constexpr int kMostLinks = 40;
  std::error_code error;
  for (int i = 0; i < kMostLinks && !names_descriptor(path) && std::filesystem::is_symlink(path, error); ++i) {
    const auto target = std::filesystem::read_symlink(path, error);
    if (error) break;
    path = target.is_absolute() ? target : folder_of(path) / target;
  }
  return path;
}

bool is_no_plain_file(const std::filesystem::path& path) {
  struct stat status = {};
  if (::stat(path.c_str(), &status) != 0) return false;
  return (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) || names_descriptor(behind_links(path));
}

Error errno_error(int error_number, std::string_view what) {
  const auto made = [&](Code code, Reason reason = Reason::kNone) {
    return Error{code, fmt::format("{}: {}", what, std::strerror(error_number)), reason};
  };
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return made(code_of(Reason::kOutOfDisk), Reason::kOutOfDisk);
    case ENOMEM:
      return made(code_of(Reason::kOutOfMemory), Reason::kOutOfMemory);
    case EROFS:
      return made(code_of(Reason::kReadOnly), Reason::kReadOnly);
    case ENOENT:
      return made(Code::kNotFound);
    case EACCES:
    case EPERM:
      return made(Code::kPermissionDenied);
    default:
      return made(Code::kInternal);
  }
}

Reason obstacle_to_writing(const std::filesystem::path& path) {
  struct statvfs about {};
  if (::statvfs(path.c_str(), &about) != 0) return Reason::kNone;
  if ((about.f_flag & ST_RDONLY) != 0) return Reason::kReadOnly;
  return about.f_bavail == 0 ? Reason::kOutOfDisk : Reason::kNone;
}

Result<std::string> read_file(const std::filesystem::path& path, std::uint64_t limit_bytes) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  if (error) return std::unexpected(errno_error(error.value(), fmt::format("read {}", path.string())));
  if (size > limit_bytes) {
    return fail(Code::kResourceExhausted, "{} has {} bytes, more than the limit of {}", path.string(), size,
                limit_bytes);
  }
  std::ifstream file(path, std::ios::binary);
  std::string content(size, '\0');
  if (!file.read(content.data(), static_cast<std::streamsize>(size)) && size > 0) {
    return fail(Code::kInternal, "reading {} failed", path.string());
  }
  return content;
}

Result<void> write_file_durably(const std::filesystem::path& path, std::string_view content, unsigned mode) {
  SLIPWAY_ASSIGN(OutputFile file, OutputFile::create(path, mode));
  SLIPWAY_TRY(file.write(content));
  return file.publish();
}

Result<void> rename_durably(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (is_no_plain_file(to)) {
    return fail(Code::kInvalidArgument, "{}: is no plain file, so it cannot be replaced by one: name another",
                to.string());
  }
  const std::filesystem::path target = behind_links(to);
  SLIPWAY_TRY(sync_path(from, O_RDONLY));
  if (::rename(from.c_str(), target.c_str()) != 0) {
    return std::unexpected(errno_error(errno, fmt::format("rename {} to {}", from.string(), target.string())));
  }
  return sync_path(folder_of(target), O_RDONLY | O_DIRECTORY);
}

Result<TemporaryFolder> TemporaryFolder::create(std::string_view prefix, const std::filesystem::path& parent) {
  std::error_code error;
  const auto base = parent.empty() ? std::filesystem::temp_directory_path(error) : parent;
  std::string pattern = (base / fmt::format("{}-XXXXXX", prefix)).string();
  if (::mkdtemp(pattern.data()) == nullptr) {
    return std::unexpected(errno_error(errno, fmt::format("make a temporary folder {}", pattern)));
  }
  add_unfinished(pattern);
  return TemporaryFolder(pattern);
}

TemporaryFolder::~TemporaryFolder() {
  if (path_.empty()) return;
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
  forget_unfinished(path_);
}

}  // namespace slipway::base
