#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "base/clock.hpp"
#include "hub/domain/ports/blob_store.hpp"
#include "hub/storage/held_content.hpp"

namespace slipway::hub::storage {

struct FileUpload;

/// Bytes as files below one folder, which must be one file system:
///
///     blobs/ab/cdef…            content by SHA-256
///     uploads/ID/joined         parts that came in order, one behind the other
///     uploads/ID/separate-N-…   a part that did not
///     uploads/ID/part-N         "SHA-256 size place" of a received part
///     uploads/ID/assembled      "SHA-256 size", written before the content becomes a blob
///
/// Parts that arrive in order are hashed while they arrive and never copied: assembling them is a rename. Committed
/// bytes are never written again, so what a tag promised stays true whatever a second sender of the same part does.
/// Messages name files inside the folder and never the folder, which strangers need not know.
/// @thread safe from any thread. One process at a time has the folder.
class FileBlobStore final : public domain::BlobStore {
 public:
  /// Makes the folders. @error kPermissionDenied, kResourceExhausted, kInternal: a folder cannot be made
  /// @param clock  says since when content is kept (the time of its file); outlives the store
  [[nodiscard]] static base::Result<std::unique_ptr<FileBlobStore>> open(const std::filesystem::path& folder,
                                                                         const base::Clock& clock);

  [[nodiscard]] base::Result<std::unique_ptr<Writer>> write_part(const std::string& upload_id, std::uint32_t index,
                                                                 std::uint64_t limit_bytes) override;
  [[nodiscard]] std::unique_ptr<Pin> pin() override;
  /// What is free, but for a reserve: an eighth of the file system, at most 256 MiB. It is left to the rows, so that
  /// jobs end and tokens are made in words while no more bytes are taken.
  [[nodiscard]] std::optional<std::uint64_t> room_bytes() const override;
  void discard(const std::string& upload_id) override;
  [[nodiscard]] base::Result<Collected> collect(const InUse& in_use, base::Time before, bool only_count) override;
  [[nodiscard]] base::Result<std::unique_ptr<Reader>> open_read(const domain::Blob& blob,
                                                                domain::ByteRange range) const override;
  [[nodiscard]] base::Result<void> verify(const domain::Blob& blob) const override;

  /// Where the bytes lie. @error kNotFound; kDataLoss: the size differs from the record
  [[nodiscard]] base::Result<std::filesystem::path> path_of(const domain::Blob& blob) const;

 private:
  FileBlobStore(std::filesystem::path folder, const base::Clock& clock) : folder_(std::move(folder)), clock_(clock) {}
  [[nodiscard]] base::Result<std::shared_ptr<FileUpload>> upload_of(const std::string& upload_id, bool make);
  class FilePin;
  [[nodiscard]] base::Result<domain::Blob> assembled(HeldContent::Hold& hold, const std::string& upload_id,
                                                     const std::vector<std::string>& etags);
  [[nodiscard]] base::Result<domain::Blob> put(HeldContent::Hold& hold, std::string_view bytes);
  /// What uploads that are not forgotten have been assembled to, by whatever process.
  [[nodiscard]] std::set<std::string> assembled_content() const;
  [[nodiscard]] std::filesystem::path blob_path(const std::string& sha256) const;
  /// The path of content that is to be kept, in a folder that exists.
  [[nodiscard]] base::Result<std::filesystem::path> place_for(const domain::Blob& blob) const;
  /// Whether the content is here already; then it counts as kept now.
  [[nodiscard]] bool renew(const domain::Blob& blob) const;
  /// Marks a file as kept now.
  [[nodiscard]] bool stamp(const std::filesystem::path& file) const;
  [[nodiscard]] base::Result<void> store(HeldContent::Hold& hold, const std::filesystem::path& file,
                                         const domain::Blob& blob);

  std::filesystem::path folder_;
  const base::Clock& clock_;
  HeldContent held_;
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<FileUpload>> uploads_;
};

}  // namespace slipway::hub::storage
