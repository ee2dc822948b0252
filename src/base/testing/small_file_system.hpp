#pragma once

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include <fmt/format.h>
#include <sys/mount.h>

#include "base/files.hpp"

namespace slipway::base::testing {

/// A file system of its own in memory, which can be filled and made read-only for real. Mounting needs rights that many
/// machines do not give.
class SmallFileSystem {
 public:
  /// @return nothing where mounting is not permitted
  [[nodiscard]] static std::optional<SmallFileSystem> mount(std::uint64_t size_bytes) {
    auto folder = TemporaryFolder::create("slipway-small-");
    if (!folder) return std::nullopt;
    const std::string options = fmt::format("size={}", size_bytes);
    if (::mount("slipway-test", folder->path().c_str(), "tmpfs", 0, options.c_str()) != 0) return std::nullopt;
    return SmallFileSystem(std::move(*folder), options);
  }
  ~SmallFileSystem() {
    if (folder_) ::umount2(path().c_str(), MNT_DETACH);
  }
  SmallFileSystem(SmallFileSystem&& other) noexcept
      : folder_(std::exchange(other.folder_, std::nullopt)), options_(std::move(other.options_)) {}
  SmallFileSystem& operator=(SmallFileSystem&&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return folder_->path(); }

  /// Fails while a file is open for writing.
  bool make_read_only(bool read_only) {
    return ::mount(nullptr, path().c_str(), nullptr,
                   MS_REMOUNT | (read_only ? static_cast<unsigned long>(MS_RDONLY) : 0UL), options_.c_str()) == 0;
  }

  /// Writes a file until nothing fits any more. Removing it makes room.
  std::filesystem::path fill() const {
    const auto file = path() / "filling";
    std::ofstream stream(file, std::ios::binary);
    const std::string block(4096, 'f');
    while (stream.write(block.data(), static_cast<std::streamsize>(block.size())).flush()) {
    }
    return file;
  }

 private:
  SmallFileSystem(TemporaryFolder folder, std::string options)
      : folder_(std::move(folder)), options_(std::move(options)) {}
  std::optional<TemporaryFolder> folder_;
  std::string options_;
};

}  // namespace slipway::base::testing
