#include "hub/domain/uploads.hpp"

#include <algorithm>
#include <iterator>
#include <limits>

namespace slipway::hub::domain::uploads {
namespace {

using base::Code;
using base::Result;

constexpr std::chrono::hours kLifetime{24};

// HTTP puts quotes around entity tags, and clients hand them back with them.
std::string without_quotes(std::string_view etag) {
  if (etag.starts_with("W/")) etag.remove_prefix(2);
  if (etag.size() >= 2 && etag.starts_with('"') && etag.ends_with('"')) etag = etag.substr(1, etag.size() - 2);
  return std::string(etag);
}

// An empty file is one empty part.
std::uint32_t part_count(std::uint64_t file_size, std::uint64_t part_size_bytes) {
  return file_size == 0 ? 1 : static_cast<std::uint32_t>((file_size - 1) / part_size_bytes + 1);
}

}  // namespace

Result<Upload> plan(const Foundation& hub, const std::string& subject_id, std::optional<std::uint64_t> file_size,
                    EmptyFile empty) {
  if (file_size == 0U && empty == EmptyFile::kRefused) {
    return base::fail(Code::kInvalidArgument, "the file is empty (0 bytes)");
  }
  if (file_size && *file_size > hub.settings.max_upload_bytes) {
    return base::fail(Code::kResourceExhausted, "the file has {} bytes; this hub takes at most {}", *file_size,
                      hub.settings.max_upload_bytes);
  }
  // Nobody should send for minutes what will not fit.
  if (const auto room = hub.ports.blobs.room_bytes(); file_size && room && *file_size > *room) {
    return base::fail(base::Reason::kOutOfDisk, "a file of {} bytes is announced, and there is room for {}", *file_size,
                      *room);
  }
  Upload upload;
  upload.id = hub.ports.ids.secret();
  upload.subject_id = subject_id;
  upload.size_bytes = file_size.value_or(0);
  upload.part_size_bytes = file_size ? hub.settings.part_size_bytes : hub.settings.max_upload_bytes;
  upload.part_count = file_size ? part_count(*file_size, hub.settings.part_size_bytes) : 1;
  upload.expires = hub.ports.queue.lease_time() + kLifetime;
  SLIPWAY_TRY(hub.ports.uploads.insert_upload(upload));
  return upload;
}

Result<Upload> find(const Foundation& hub, const std::string& upload_id) {
  auto known = hub.ports.uploads.upload(upload_id);
  if (known && known->expires <= hub.ports.queue.lease_time()) {
    return base::fail(Code::kNotFound, "the upload address has expired");
  }
  return known;
}

Result<std::unique_ptr<BlobStore::Writer>> write_part(const Foundation& hub, const Upload& upload, std::uint32_t part,
                                                      std::uint64_t size_bytes) {
  if (part >= upload.part_count) {
    return base::fail(Code::kNotFound, "this upload has the parts 0 to {}, not \"{}\"", upload.part_count - 1, part);
  }
  const std::uint64_t begin = std::uint64_t{part} * upload.part_size_bytes;
  const std::uint64_t rest = upload.size_bytes > begin ? upload.size_bytes - begin : 0;
  const std::uint64_t expected = part + 1 == upload.part_count ? rest : upload.part_size_bytes;
  // An older client may not have said how large the file is: then the part's limit is all there is to check.
  const bool is_known = upload.size_bytes != 0;
  if (is_known ? size_bytes != expected : size_bytes > upload.part_size_bytes) {
    return base::fail(Code::kInvalidArgument, "part {}: expected a Content-Length of {} as planned, found {}", part,
                      is_known ? expected : upload.part_size_bytes, size_bytes);
  }
  return hub.ports.blobs.write_part(upload.id, part, size_bytes);
}

Result<Blob> assemble(const Foundation& hub, BlobStore::Pin& pin, const Upload& upload,
                      const std::vector<std::string>& etags, EmptyFile empty) {
  if (etags.size() != upload.part_count) {
    return base::fail(Code::kInvalidArgument, "the upload has {} parts, but {} entity tags are given",
                      upload.part_count, etags.size());
  }
  std::vector<std::string> tags;
  std::ranges::transform(etags, std::back_inserter(tags), without_quotes);
  auto assembled = pin.assemble(upload.id, tags);
  if (!assembled && assembled.error().is_about_writing()) forget(hub, upload.id);
  SLIPWAY_ASSIGN(Blob blob, std::move(assembled));
  const bool is_known = upload.size_bytes != 0 || empty == EmptyFile::kTaken;
  if (is_known && blob.size_bytes != upload.size_bytes) {
    return base::fail(Code::kFailedPrecondition, "{} bytes were announced, but {} arrived; upload the file again",
                      upload.size_bytes, blob.size_bytes);
  }
  if (blob.size_bytes == 0 && empty == EmptyFile::kRefused) {
    return base::fail(Code::kInvalidArgument, "the file is empty (0 bytes)");
  }
  return blob;
}

void forget(const Foundation& hub, const std::string& upload_id) {
  hub.ports.blobs.discard(upload_id);
  hub.ports.uploads.remove_upload(upload_id);
}

}  // namespace slipway::hub::domain::uploads
