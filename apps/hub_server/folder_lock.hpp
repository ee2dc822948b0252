#pragma once

#include <filesystem>

#include "base/error.hpp"

namespace slipway::apps::hub_server {

/// Holds a data folder for one process: a server, or what must not work beside one.
class FolderLock {
 public:
  /// @error kUnavailable: another process has the folder
  [[nodiscard]] static base::Result<FolderLock> take(const std::filesystem::path& folder);
  ~FolderLock();
  FolderLock(FolderLock&& other) noexcept;
  FolderLock& operator=(FolderLock&& other) noexcept;

 private:
  explicit FolderLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace slipway::apps::hub_server
