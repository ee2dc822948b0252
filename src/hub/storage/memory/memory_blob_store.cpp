#include "hub/storage/memory/memory_blob_store.hpp"

#include <algorithm>
#include <utility>

#include "base/hash.hpp"
#include "hub/storage/upload_id.hpp"

namespace slipway::hub::storage {
namespace {

using base::Code;
using base::Result;
using domain::Blob;

class MemoryReader final : public domain::BlobStore::Reader {
 public:
  MemoryReader(std::shared_ptr<const std::string> bytes, domain::ByteRange range)
      : bytes_(std::move(bytes)), rest_(std::string_view(*bytes_).substr(range.first, range.size_bytes)) {}
  Result<std::size_t> read(std::span<std::byte> into) override {
    const std::size_t count = std::min(into.size(), rest_.size());
    std::ranges::copy(std::as_bytes(std::span(rest_.substr(0, count))), into.begin());
    rest_.remove_prefix(count);
    return count;
  }

 private:
  std::shared_ptr<const std::string> bytes_;
  std::string_view rest_;
};

}  // namespace

class MemoryBlobStore::PartWriter final : public Writer {
 public:
  PartWriter(MemoryBlobStore& store, std::shared_ptr<Upload> upload, std::string upload_id, std::uint32_t index,
             std::uint64_t limit_bytes)
      : store_(store),
        upload_(std::move(upload)),
        upload_id_(std::move(upload_id)),
        index_(index),
        limit_bytes_(limit_bytes) {}

  Result<void> write(std::span<const std::byte> bytes) override {
    is_whole_ = is_whole_ && bytes.size() <= limit_bytes_ - bytes_.size();
    if (!is_whole_) {
      return base::fail(Code::kResourceExhausted, "part {} is larger than the {} bytes that it may have", index_,
                        limit_bytes_);
    }
    bytes_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return {};
  }

  Result<std::string> commit() override {
    if (!is_whole_) return base::fail(Code::kFailedPrecondition, "part {} was not written whole", index_);
    is_whole_ = false;
    const std::string etag = base::sha256_hex(bytes_);
    const std::lock_guard lock(store_.mutex_);
    const auto found = store_.uploads_.find(upload_id_);
    if (found == store_.uploads_.end() || found->second != upload_) {
      return base::fail(Code::kNotFound, "the upload has ended");
    }
    upload_->parts[index_] = {.bytes = std::move(bytes_), .etag = etag};
    return etag;
  }

 private:
  MemoryBlobStore& store_;
  std::shared_ptr<Upload> upload_;
  std::string upload_id_;
  std::uint32_t index_;
  std::uint64_t limit_bytes_;
  std::string bytes_;
  bool is_whole_ = true;
};

Result<std::unique_ptr<domain::BlobStore::Writer>> MemoryBlobStore::write_part(const std::string& upload_id,
                                                                               std::uint32_t index,
                                                                               std::uint64_t limit_bytes) {
  SLIPWAY_TRY(check_upload_id(upload_id));
  const std::lock_guard lock(mutex_);
  auto& upload = uploads_[upload_id];
  if (!upload) upload = std::make_shared<Upload>();
  return std::make_unique<PartWriter>(*this, upload, upload_id, index, limit_bytes);
}

class MemoryBlobStore::MemoryPin final : public Pin {
 public:
  explicit MemoryPin(MemoryBlobStore& store) : store_(store), hold_(store.held_) {}
  Result<Blob> assemble(const std::string& upload_id, const std::vector<std::string>& etags) override {
    return store_.assemble(hold_, upload_id, etags);
  }
  Result<Blob> put(std::string_view bytes) override {
    const std::lock_guard lock(store_.mutex_);
    return store_.store(hold_, std::string(bytes));
  }

 private:
  MemoryBlobStore& store_;
  HeldContent::Hold hold_;
};

std::unique_ptr<domain::BlobStore::Pin> MemoryBlobStore::pin() {
  return std::make_unique<MemoryPin>(*this);
}

Result<Blob> MemoryBlobStore::assemble(HeldContent::Hold& hold, const std::string& upload_id,
                                       const std::vector<std::string>& etags) {
  SLIPWAY_TRY(check_upload_id(upload_id));
  const std::lock_guard lock(mutex_);
  const auto found = uploads_.find(upload_id);
  if (found == uploads_.end()) return base::fail(Code::kFailedPrecondition, "nothing has arrived for this upload");
  Upload& upload = *found->second;
  if (etags.empty()) return base::fail(Code::kInvalidArgument, "an upload has one part or more");
  if (upload.assembled) {
    const auto kept = contents_.find(upload.assembled->sha256);
    if (kept != contents_.end()) {
      hold.add(upload.assembled->sha256);
      kept->second.kept = clock_.now();
      return *upload.assembled;
    }
  }
  std::string whole;
  for (std::uint32_t index = 0; index < etags.size(); ++index) {
    const auto part = upload.parts.find(index);
    if (part == upload.parts.end()) {
      return base::fail(Code::kFailedPrecondition, "part {} of {} has not arrived", index, etags.size());
    }
    if (part->second.etag != etags[index]) {
      return base::fail(Code::kFailedPrecondition,
                        "part {}: the entity tag given is '{}', but that of the part that arrived is '{}'", index,
                        etags[index], part->second.etag);
    }
    whole += part->second.bytes;
  }
  upload.assembled = store(hold, std::move(whole));
  return *upload.assembled;
}

Blob MemoryBlobStore::store(HeldContent::Hold& hold, std::string bytes) {
  const Blob blob{.sha256 = base::sha256_hex(bytes), .size_bytes = bytes.size()};
  hold.add(blob.sha256);
  Content& content = contents_[blob.sha256];
  if (!content.bytes) content.bytes = std::make_shared<const std::string>(std::move(bytes));
  content.kept = clock_.now();
  return blob;
}

void MemoryBlobStore::discard(const std::string& upload_id) {
  const std::lock_guard lock(mutex_);
  uploads_.erase(upload_id);
}

Result<domain::BlobStore::Collected> MemoryBlobStore::collect(const InUse& in_use, base::Time before, bool only_count) {
  const HeldContent::Collection under_way(held_);
  std::set<std::string> assembled;
  {
    // Before the rows: an upload is forgotten when its row is there.
    const std::lock_guard lock(mutex_);
    for (const auto& [id, upload] : uploads_) {
      if (upload->assembled) assembled.insert(upload->assembled->sha256);
    }
  }
  SLIPWAY_ASSIGN(const std::set<std::string> used, in_use());
  const std::lock_guard lock(mutex_);
  Collected collected;
  std::erase_if(contents_, [&](const auto& entry) {
    if (used.contains(entry.first) || assembled.contains(entry.first) || entry.second.kept >= before) return false;
    if (held_.contains(entry.first)) return false;
    ++collected.count;
    collected.size_bytes += entry.second.bytes->size();
    return !only_count;
  });
  return collected;
}

Result<std::shared_ptr<const std::string>> MemoryBlobStore::content(const Blob& blob) const {
  const std::lock_guard lock(mutex_);
  const auto found = contents_.find(blob.sha256);
  if (found == contents_.end()) return base::fail(Code::kNotFound, "'{}' names no content", blob.sha256);
  if (found->second.bytes->size() != blob.size_bytes) {
    return base::fail(Code::kDataLoss, "content {}: expected {} bytes, found {}", blob.sha256, blob.size_bytes,
                      found->second.bytes->size());
  }
  return found->second.bytes;
}

Result<std::unique_ptr<domain::BlobStore::Reader>> MemoryBlobStore::open_read(const Blob& blob,
                                                                              domain::ByteRange range) const {
  SLIPWAY_ASSIGN(auto bytes, content(blob));
  return std::make_unique<MemoryReader>(std::move(bytes), range);
}

Result<void> MemoryBlobStore::verify(const Blob& blob) const {
  SLIPWAY_TRY(content(blob));
  return {};
}

}  // namespace slipway::hub::storage
