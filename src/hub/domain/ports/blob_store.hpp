#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "hub/domain/types.hpp"

namespace slipway::hub::domain {

/// A piece of a blob.
struct ByteRange {
  std::uint64_t first = 0, size_bytes = 0;
};

/// Bytes by content hash. Durable once a call that says so returns; a blob is visible only when whole.
/// @thread safe from any thread; a Writer or Reader belongs to one thread at a time
class BlobStore {
 public:
  virtual ~BlobStore() = default;

  /// Receives a piece of an upload as a stream and hashes it on the way.
  class Writer {
   public:
    virtual ~Writer() = default;
    /// @error kResourceExhausted: larger than announced, or there is no room (Reason::kOutOfDisk); kPermissionDenied:
    /// nothing can be written for now (Reason::kReadOnly)
    [[nodiscard]] virtual base::Result<void> write(std::span<const std::byte> bytes) = 0;
    /// Makes the piece durable and returns its SHA-256 as entity tag. Without commit() nothing remains.
    [[nodiscard]] virtual base::Result<std::string> commit() = 0;
  };

  /// Gives the bytes of a range in order.
  class Reader {
   public:
    virtual ~Reader() = default;
    /// Fills `into` from its front; it may give fewer bytes than there is room for, but 0 only at the range's end.
    /// @error kDataLoss: the bytes end before the range does; kUnavailable: the store is away
    [[nodiscard]] virtual base::Result<std::size_t> read(std::span<std::byte> into) = 0;
  };

  /// Opens part `index` (from 0) of an upload; committing a part again replaces it.
  /// @param limit_bytes  the most that the part may hold; a write beyond it fails
  /// @error kInvalidArgument: an upload id with other characters than letters, digits, '-' and '_'
  [[nodiscard]] virtual base::Result<std::unique_ptr<Writer>> write_part(const std::string& upload_id,
                                                                         std::uint32_t index,
                                                                         std::uint64_t limit_bytes) = 0;

  /// Keeps content for somebody who has yet to write the row that speaks of it. As long as a Pin lives, collections
  /// leave what it kept, whatever any clock says meanwhile; the store outlives it.
  class Pin {
   public:
    virtual ~Pin() = default;
    /// Joins parts 0 … n-1, whose tags must be `etags`, into one blob; the same content is kept once. Calling it again
    /// after success gives the same blob.
    /// @error kFailedPrecondition: a part is missing or its tag differs (the part is named)
    [[nodiscard]] virtual base::Result<Blob> assemble(const std::string& upload_id,
                                                      const std::vector<std::string>& etags) = 0;
    /// Keeps bytes that are in memory already.
    [[nodiscard]] virtual base::Result<Blob> put(std::string_view bytes) = 0;
  };
  [[nodiscard]] virtual std::unique_ptr<Pin> pin() = 0;

  /// How many bytes more it takes; nothing where that is not known beforehand.
  [[nodiscard]] virtual std::optional<std::uint64_t> room_bytes() const { return std::nullopt; }

  /// Forgets an upload: parts that will not be finished, and what assemble() remembers of a finished one. Until then
  /// collections leave what was assembled of it, also after a restart: its row may be written at the next try.
  virtual void discard(const std::string& upload_id) = 0;

  /// What a collection took, or would take.
  struct Collected {
    std::uint64_t count = 0, size_bytes = 0;
  };
  /// The SHA-256 of all content that rows speak of, as it is at the moment of the call.
  using InUse = std::function<base::Result<std::set<std::string>>()>;
  /// Removes content that is not in use, that no Pin and no upload holds, and that nobody has kept since `before`.
  /// What comes in again counts as kept anew. A crash in between leaves less to do.
  /// @param in_use      called once, when the store has begun to watch what is kept meanwhile
  /// @param only_count  says what would go, and removes nothing
  /// @error of `in_use`
  [[nodiscard]] virtual base::Result<Collected> collect(const InUse& in_use, base::Time before, bool only_count) = 0;

  /// Opens a range of a blob for reading; the reader outlives what happens to the blob meanwhile.
  /// @pre the range lies within blob.size_bytes
  /// @error kNotFound; kDataLoss: the size differs from the record
  [[nodiscard]] virtual base::Result<std::unique_ptr<Reader>> open_read(const Blob& blob, ByteRange range) const = 0;

  /// Reads everything back and compares hashes. @error kDataLoss
  [[nodiscard]] virtual base::Result<void> verify(const Blob& blob) const = 0;
};

}  // namespace slipway::hub::domain
