#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/hash.hpp"
#include "hub/domain/ports/blob_store.hpp"
#include "hub/storage/files/part_record.hpp"

namespace slipway::hub::storage {

/// An upload under way.
struct FileUpload {
  std::mutex mutex;
  std::filesystem::path folder;
  std::map<std::uint32_t, PartRecord> parts;
  std::uint32_t joined_count = 0;           ///< parts 0 … joined_count - 1 have been written to the joined file
  std::uint64_t joined_bytes = 0;           ///< their committed bytes
  std::optional<base::Sha256> joined_hash;  ///< of those bytes; absent after a restart
  bool tail_taken = false;                  ///< a writer is adding to the joined file
  std::uint64_t next_separate = 0;          ///< above every number that a file of this upload has
  bool discarded = false;

  /// Whether the joined file holds exactly these parts, and nobody is adding to it.
  [[nodiscard]] bool is_in_order(std::size_t count) const {
    return joined_count == count && !tail_taken &&
           std::ranges::all_of(parts, [](const auto& entry) { return entry.second.separate.empty(); });
  }

  [[nodiscard]] std::filesystem::path joined() const { return folder / "joined"; }
  [[nodiscard]] std::filesystem::path record(std::uint32_t index) const {
    return folder / fmt::format("part-{}", index);
  }

  /// Where the record of what it was assembled to lies; written before the content becomes a blob.
  [[nodiscard]] std::filesystem::path assembled() const { return folder / kAssembledMarker; }

  /// What a former process left behind.
  void read_records();

  static constexpr std::string_view kAssembledMarker = "assembled";
};

/// Opens a part. It goes behind the joined file, or to a file of its own where it does not come in order.
/// @param store  the folder of the store, which messages leave out
[[nodiscard]] base::Result<std::unique_ptr<domain::BlobStore::Writer>> open_part(std::shared_ptr<FileUpload> upload,
                                                                                 std::uint32_t index,
                                                                                 std::uint64_t limit_bytes,
                                                                                 std::filesystem::path store);

}  // namespace slipway::hub::storage
