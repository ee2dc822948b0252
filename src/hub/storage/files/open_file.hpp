#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

#include "base/descriptor.hpp"
#include "base/error.hpp"

namespace slipway::hub::storage {

/// An open file. Writes are whole or an error.
/// @thread one object belongs to one thread
class OpenFile {
 public:
  /// @param flags  of open(2); new files get mode 0600
  [[nodiscard]] static base::Result<OpenFile> open(const std::filesystem::path& path, int flags);

  /// @error kResourceExhausted: disk full
  [[nodiscard]] base::Result<void> write_at(std::uint64_t offset, std::span<const std::byte> bytes);
  /// @return how many bytes were there to read; fewer than asked for only at the end
  [[nodiscard]] base::Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into) const;
  /// Copies `size_bytes` from one file's offset to this file's. @error kDataLoss: the source is shorter
  [[nodiscard]] base::Result<void> copy_from(const OpenFile& source, std::uint64_t source_offset,
                                             std::uint64_t size_bytes, std::uint64_t offset);
  [[nodiscard]] base::Result<void> truncate(std::uint64_t size_bytes);
  [[nodiscard]] base::Result<void> sync();

 private:
  base::Descriptor descriptor_;
};

}  // namespace slipway::hub::storage
