#include "hub/storage/files/file_upload.hpp"

#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "base/files.hpp"
#include "base/text.hpp"
#include "hub/storage/files/open_file.hpp"
#include "hub/storage/files/store_folder.hpp"

namespace slipway::hub::storage {
namespace {

using base::Code;
using base::Result;

// Writes one part, either behind the joined file or to a file of its own. The upload's mutex is held only at the ends:
// while the tail is taken nobody else writes there, and a separate file has one writer.
class PartWriter final : public domain::BlobStore::Writer {
 public:
  PartWriter(std::shared_ptr<FileUpload> upload, std::uint32_t index, std::uint64_t limit_bytes,
             std::filesystem::path store)
      : upload_(std::move(upload)), index_(index), limit_bytes_(limit_bytes), store_(std::move(store)) {}
  PartWriter(const PartWriter&) = delete;
  PartWriter& operator=(const PartWriter&) = delete;

  ~PartWriter() override { leave_nothing(); }

  Result<void> open() {
    const std::lock_guard lock(upload_->mutex);
    if (upload_->discarded) return base::fail(Code::kNotFound, "the upload has ended");
    on_tail_ = index_ == upload_->joined_count && !upload_->tail_taken && !upload_->parts.contains(index_);
    if (!on_tail_) {
      separate_ = fmt::format("separate-{}-{}", index_, upload_->next_separate++);
      SLIPWAY_ASSIGN(file_, OpenFile::open(upload_->folder / separate_, O_WRONLY | O_CREAT | O_EXCL));
      return {};
    }
    SLIPWAY_ASSIGN(file_, OpenFile::open(upload_->joined(), O_WRONLY | O_CREAT));
    upload_->tail_taken = true;
    offset_ = upload_->joined_bytes;
    // For the first part the hash of the part is the hash of the whole.
    if (index_ > 0 && upload_->joined_hash) whole_hash_ = upload_->joined_hash->clone();
    return {};
  }

  Result<void> write(std::span<const std::byte> bytes) override {
    if (failed_) return base::fail(Code::kFailedPrecondition, "an earlier write of part {} failed", index_);
    if (bytes.size() > limit_bytes_ - written_) {
      failed_ = true;
      return base::fail(Code::kResourceExhausted, "part {} is larger than the {} bytes that it may have", index_,
                        limit_bytes_);
    }
    auto outcome = check_room(upload_->folder, bytes.size());
    if (outcome) outcome = file_.write_at(offset_ + written_, bytes);
    failed_ = !outcome;
    if (failed_) {
      leave_nothing();
      return outcome;
    }
    written_ += bytes.size();
    part_hash_.update(bytes);
    if (whole_hash_) whole_hash_->update(bytes);
    return {};
  }

  Result<std::string> commit() override {
    if (failed_ || committed_) {
      return base::fail(Code::kFailedPrecondition, "part {} {}", index_,
                        committed_ ? "is committed already" : "was not written whole");
    }
    if (auto synced = file_.sync(); !synced) {
      failed_ = true;
      return std::unexpected(std::move(synced).error());
    }
    std::optional<base::Sha256> first_hash;
    if (on_tail_ && index_ == 0) first_hash = part_hash_.clone();
    const PartRecord part{.sha256 = part_hash_.hex(), .size_bytes = written_, .separate = separate_, .offset = offset_};
    const std::lock_guard lock(upload_->mutex);
    if (upload_->discarded) return base::fail(Code::kNotFound, "the upload has ended");
    const auto known = upload_->parts.find(index_);
    // Sent twice because the first answer was lost: the first copy stands, this one goes with the writer.
    if (known != upload_->parts.end() && known->second.sha256 == part.sha256) return part.sha256;
    SLIPWAY_TRY(without_folder(base::write_file_durably(upload_->record(index_), to_text(part)), store_));
    committed_ = true;
    upload_->parts[index_] = part;
    if (on_tail_) {
      upload_->joined_bytes += written_;
      ++upload_->joined_count;
      upload_->joined_hash = index_ == 0 ? std::move(first_hash) : std::move(whole_hash_);
      upload_->tail_taken = false;
    }
    return part.sha256;
  }

 private:
  // What was written of a part that does not come to its end takes no room.
  void leave_nothing() {
    const std::lock_guard lock(upload_->mutex);
    if (committed_) return;
    if (on_tail_) {
      static_cast<void>(file_.truncate(offset_));
      on_tail_ = upload_->tail_taken = false;
    } else if (!separate_.empty()) {
      ::unlink((upload_->folder / std::exchange(separate_, {})).c_str());
    }
  }

  std::shared_ptr<FileUpload> upload_;
  std::uint32_t index_;
  std::uint64_t limit_bytes_;
  std::filesystem::path store_;
  std::uint64_t offset_ = 0, written_ = 0;
  bool on_tail_ = false, failed_ = false, committed_ = false;
  std::string separate_;
  OpenFile file_;
  base::Sha256 part_hash_;
  std::optional<base::Sha256> whole_hash_;
};

}  // namespace

void FileUpload::read_records() {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("separate-")) {
      const auto number = base::parse_number<std::uint64_t>(std::string_view(name).substr(name.rfind('-') + 1));
      if (number) next_separate = std::max(next_separate, *number + 1);
    }
    if (!name.starts_with("part-")) continue;
    std::string_view number = std::string_view(name).substr(5);
    const auto index = base::consume_number<std::uint32_t>(number);
    if (!index) continue;
    const auto text = base::read_file(entry.path(), kRecordLimitBytes);
    const auto part = text ? part_from_text(*text) : std::nullopt;
    if (part) parts[*index] = *part;
  }
  for (const auto& [index, part] : parts) {
    if (!part.separate.empty()) continue;
    joined_count = index + 1;
    joined_bytes = part.offset + part.size_bytes;
  }
  if (joined_count == 0) joined_hash.emplace();
}

Result<std::unique_ptr<domain::BlobStore::Writer>> open_part(std::shared_ptr<FileUpload> upload, std::uint32_t index,
                                                             std::uint64_t limit_bytes, std::filesystem::path store) {
  auto writer = std::make_unique<PartWriter>(std::move(upload), index, limit_bytes, std::move(store));
  SLIPWAY_TRY(writer->open());
  return writer;
}

}  // namespace slipway::hub::storage
