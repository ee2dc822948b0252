#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>

#include "base/error.hpp"

namespace slipway::base {

/// A plain file mapped into memory, read only: its pages are read when they are touched and belong to nobody's heap.
/// Who cuts the file short meanwhile ends the process that reads it, so what strangers may still change is copied
/// first.
class MappedFile {
 public:
  /// @error kNotFound; kInvalidArgument: not a plain file; as errno
  [[nodiscard]] static Result<std::shared_ptr<const MappedFile>> open(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  [[nodiscard]] std::span<const std::byte> bytes() const { return bytes_; }

 private:
  explicit MappedFile(std::span<const std::byte> bytes) : bytes_(bytes) {}
  std::span<const std::byte> bytes_;
};

}  // namespace slipway::base
