#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "hub/domain/ports/blob_store.hpp"
#include "hub/storage/held_content.hpp"

namespace slipway::hub::storage {

/// Bytes that die with the object: for tests and simulations.
/// @thread safe from any thread
class MemoryBlobStore final : public domain::BlobStore {
 public:
  /// @param clock  says since when content is kept; outlives the store
  explicit MemoryBlobStore(const base::Clock& clock) : clock_(clock) {}

  [[nodiscard]] base::Result<std::unique_ptr<Writer>> write_part(const std::string& upload_id, std::uint32_t index,
                                                                 std::uint64_t limit_bytes) override;
  [[nodiscard]] std::unique_ptr<Pin> pin() override;
  void discard(const std::string& upload_id) override;
  [[nodiscard]] base::Result<Collected> collect(const InUse& in_use, base::Time before, bool only_count) override;
  [[nodiscard]] base::Result<std::unique_ptr<Reader>> open_read(const domain::Blob& blob,
                                                                domain::ByteRange range) const override;
  [[nodiscard]] base::Result<void> verify(const domain::Blob& blob) const override;

 private:
  class PartWriter;
  class MemoryPin;
  struct Part {
    std::string bytes, etag;
  };
  struct Upload {
    std::map<std::uint32_t, Part> parts;
    std::optional<domain::Blob> assembled;
  };
  struct Content {
    std::shared_ptr<const std::string> bytes;
    base::Time kept;
  };

  [[nodiscard]] base::Result<domain::Blob> assemble(HeldContent::Hold& hold, const std::string& upload_id,
                                                    const std::vector<std::string>& etags);
  [[nodiscard]] domain::Blob store(HeldContent::Hold& hold, std::string bytes);
  [[nodiscard]] base::Result<std::shared_ptr<const std::string>> content(const domain::Blob& blob) const;

  const base::Clock& clock_;
  HeldContent held_;
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Upload>> uploads_;
  std::map<std::string, Content> contents_;  ///< by SHA-256
};

}  // namespace slipway::hub::storage
