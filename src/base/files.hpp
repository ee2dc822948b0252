#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace slipway::base {

/// Reads a whole file of at most `limit_bytes`.
/// @error kNotFound; kResourceExhausted: larger than the limit; kInternal: read error
[[nodiscard]] Result<std::string> read_file(const std::filesystem::path& path, std::uint64_t limit_bytes);

/// Writes a file so that after a crash either the old or the new content is there, never a part: temporary file in the
/// same folder, fsync, rename, fsync of the folder. A link is followed, and what is no plain file (a pipe, a device,
/// standard output) is written to as it is, never replaced.
/// @param mode  permission bits of the new file
/// @error as errno_error; a write that failed leaves nothing behind
[[nodiscard]] Result<void> write_file_durably(const std::filesystem::path& path, std::string_view content,
                                              unsigned mode = 0644);

/// Whether bytes for this path go into what is there: a pipe, a device, standard output; or a descriptor's name.
[[nodiscard]] bool is_no_plain_file(const std::filesystem::path& path);

/// Where the bytes of a file to be replaced lie: behind links, as far as they lead to names.
[[nodiscard]] std::filesystem::path behind_links(std::filesystem::path path);

/// Renames `from` to `to` (same file system) and syncs both the file and the folder of `to`. A link is followed to the
/// file that it leads to.
/// @error kInvalidArgument: `to` is a pipe, a device or anything else than a plain file; as errno
[[nodiscard]] Result<void> rename_durably(const std::filesystem::path& from, const std::filesystem::path& to);

/// An Error from errno, with its text: a full disk, a file that is too large and no memory are kResourceExhausted with
/// their reasons, a read-only file system is kPermissionDenied with its own; kNotFound, kPermissionDenied, else
/// kInternal.
[[nodiscard]] Error errno_error(int error_number, std::string_view what);

/// What keeps the file system of `path` from being written, as far as it says: it is read-only, or has no space left
/// for this user. kNone when neither, or when it cannot be asked.
[[nodiscard]] Reason obstacle_to_writing(const std::filesystem::path& path);

/// A folder that is removed with all it holds when the object dies.
class TemporaryFolder {
 public:
  /// Makes a new folder below `parent` (the system's temporary folder when empty), mode 0700.
  [[nodiscard]] static Result<TemporaryFolder> create(std::string_view prefix,
                                                      const std::filesystem::path& parent = {});
  ~TemporaryFolder();
  TemporaryFolder(TemporaryFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  TemporaryFolder& operator=(TemporaryFolder&& other) noexcept {
    std::swap(path_, other.path_);
    return *this;
  }

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  explicit TemporaryFolder(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

}  // namespace slipway::base
