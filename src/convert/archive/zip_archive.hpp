#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/error.hpp"

namespace slipway::convert::archive {

/// A zip archive as PyTorch writes it: entries that are stored, or deflated where they are text, below one folder. Read
/// by the central directory, zip64 included, every offset checked; nothing is copied but what is unpacked.
/// @thread  reading from several at once is fine
class ZipArchive {
 public:
  ZipArchive(ZipArchive&&) = default;
  ZipArchive& operator=(ZipArchive&&) = default;

  struct Entry {
    std::string name;  ///< without the one folder that all entries share
    bool is_deflated = false;
    std::uint64_t size_bytes = 0;       ///< unpacked
    std::uint32_t crc32 = 0;            ///< of the unpacked bytes
    std::span<const std::byte> stored;  ///< as they lie in the file
  };

  /// Maps a file.
  /// @error kNotFound; kInvalidArgument: not a zip, cut short, of several parts; an entry that is encrypted, packed
  ///        otherwise than by deflate, named twice, outside of the file, over another entry, or that its two headers
  ///        describe differently (it is named)
  [[nodiscard]] static base::Result<ZipArchive> open(const std::filesystem::path& path);

  /// The same over bytes in memory that live as long as `owner`.
  [[nodiscard]] static base::Result<ZipArchive> over(std::span<const std::byte> bytes,
                                                     std::shared_ptr<const void> owner = nullptr);

  /// In the order of the central directory, folders left out.
  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }
  /// The folder that all entries lie in; "" when they share none.
  [[nodiscard]] const std::string& folder() const { return folder_; }
  /// nullptr when there is none of that name.
  [[nodiscard]] const Entry* find(std::string_view name) const;

  /// The bytes of a stored entry where they lie: valid as long as owner(). Their check sum is not looked at.
  /// @error kNotFound; kInvalidArgument: it is deflated
  [[nodiscard]] base::Result<std::span<const std::byte>> view(std::string_view name) const;

  /// A copy of an entry, inflated where it is deflated, its check sum compared.
  /// @error kNotFound; kResourceExhausted: larger than the limit; kInvalidArgument: damaged
  [[nodiscard]] base::Result<std::string> unpack(std::string_view name, std::uint64_t limit_bytes) const;

  /// What keeps views valid.
  [[nodiscard]] const std::shared_ptr<const void>& owner() const { return owner_; }

 private:
  ZipArchive() = default;
  std::shared_ptr<const void> owner_;
  std::string folder_;
  std::vector<Entry> entries_;
  std::unordered_map<std::string_view, std::size_t> places_;  // views into the names of entries_
};

}  // namespace slipway::convert::archive
