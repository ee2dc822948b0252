#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/descriptor.hpp"
#include "base/error.hpp"

namespace slipway::apps::hub_server {

/// Holds a data folder for one process: a server, or what must not work beside one.
class FolderLock {
 public:
  /// @error kUnavailable: another process has the folder
  [[nodiscard]] static base::Result<FolderLock> acquire(const std::filesystem::path& folder);
  /// Writes down where the server that holds the folder is reached, for those who find it taken.
  [[nodiscard]] base::Result<void> note_address(std::string_view address) const;
  /// "127.0.0.1:8400" of the server that has the folder; empty when it has not said.
  [[nodiscard]] static std::string address_in(const std::filesystem::path& folder);

 private:
  explicit FolderLock(int descriptor) : descriptor_(descriptor) {}
  base::Descriptor descriptor_;
};

}  // namespace slipway::apps::hub_server
