#include "hub/storage/files/file_blob_store.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <optional>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include <sys/stat.h>

#include "base/files.hpp"
#include "base/hash.hpp"
#include "hub/storage/files/file_upload.hpp"
#include "hub/storage/files/open_file.hpp"
#include "hub/storage/files/part_record.hpp"
#include "hub/storage/files/store_folder.hpp"
#include "hub/storage/upload_id.hpp"

namespace slipway::hub::storage {
namespace {

using base::Code;
using base::Result;
using domain::Blob;

// Makes new names in a folder durable.
Result<void> sync_folder(const std::filesystem::path& folder) {
  SLIPWAY_ASSIGN(OpenFile opened, OpenFile::open(folder, O_RDONLY | O_DIRECTORY));
  return opened.sync();
}

class FileReader final : public domain::BlobStore::Reader {
 public:
  FileReader(OpenFile file, domain::ByteRange range) : file_(std::move(file)), range_(range) {}

  Result<std::size_t> read(std::span<std::byte> into) override {
    if (into.size() > range_.size_bytes) into = into.first(static_cast<std::size_t>(range_.size_bytes));
    if (into.empty()) return 0;
    SLIPWAY_ASSIGN(const std::size_t count, file_.read_at(range_.first, into));
    if (count == 0) return base::fail(Code::kDataLoss, "the content ends {} bytes early", range_.size_bytes);
    range_.first += count;
    range_.size_bytes -= count;
    return count;
  }

 private:
  OpenFile file_;
  domain::ByteRange range_;  // what is still to be read
};

Result<std::uint64_t> check_parts(const FileUpload& upload, const std::vector<std::string>& etags) {
  std::uint64_t size_bytes = 0;
  for (std::uint32_t index = 0; index < etags.size(); ++index) {
    const auto found = upload.parts.find(index);
    if (found == upload.parts.end()) {
      return base::fail(Code::kFailedPrecondition, "part {} of {} has not arrived", index, etags.size());
    }
    if (found->second.sha256 != etags[index]) {
      return base::fail(Code::kFailedPrecondition,
                        "part {}: the entity tag given is '{}', but that of the part that "
                        "arrived is '{}'",
                        index, etags[index].substr(0, kShaDigits), found->second.sha256);
    }
    size_bytes += found->second.size_bytes;
  }
  return size_bytes;
}

// Puts parts that did not come in order one behind the other; the slow way, for rare cases.
Result<void> join(const FileUpload& upload, std::size_t count, const std::filesystem::path& target) {
  std::uint64_t size_bytes = 0;
  for (std::uint32_t index = 0; index < count; ++index) size_bytes += upload.parts.at(index).size_bytes;
  SLIPWAY_TRY(check_room(upload.folder, size_bytes));
  SLIPWAY_ASSIGN(OpenFile output, OpenFile::open(target, O_WRONLY | O_CREAT | O_TRUNC));
  std::uint64_t written = 0;
  for (std::uint32_t index = 0; index < count; ++index) {
    const PartRecord& part = upload.parts.at(index);
    const bool is_joined = part.separate.empty();
    SLIPWAY_ASSIGN(const OpenFile input,
                   OpenFile::open(is_joined ? upload.joined() : upload.folder / part.separate, O_RDONLY));
    SLIPWAY_TRY(output.copy_from(input, part.offset, part.size_bytes, written));
    written += part.size_bytes;
  }
  return output.sync();
}

}  // namespace

Result<std::unique_ptr<FileBlobStore>> FileBlobStore::open(const std::filesystem::path& folder,
                                                           const base::Clock& clock) {
  std::error_code error;
  for (const char* name : {"uploads", "blobs"}) {
    if (!error) std::filesystem::create_directories(folder / name, error);
  }
  if (error) return std::unexpected(base::errno_error(error.value(), "make folders in " + folder.string()));
  SLIPWAY_TRY(sync_folder(folder));
  return std::unique_ptr<FileBlobStore>(new FileBlobStore(folder, clock));
}

std::filesystem::path FileBlobStore::blob_path(const std::string& sha256) const {
  return folder_ / "blobs" / sha256.substr(0, 2) / sha256.substr(2);
}

Result<std::filesystem::path> FileBlobStore::place_for(const Blob& blob) const {
  auto path = blob_path(blob.sha256);
  const auto parent = path.parent_path();
  // Whoever finds the folder made must be able to rely on it as well.
  const std::lock_guard lock(mutex_);
  if (::mkdir(parent.c_str(), 0700) == 0) {
    SLIPWAY_TRY(sync_folder(folder_ / "blobs"));
  } else if (errno != EEXIST) {
    return std::unexpected(base::errno_error(errno, "make " + parent.string()));
  }
  return path;
}

Result<std::shared_ptr<FileUpload>> FileBlobStore::upload_of(const std::string& upload_id, bool make) {
  SLIPWAY_TRY(check_upload_id(upload_id));
  const std::lock_guard lock(mutex_);
  auto& upload = uploads_[upload_id];
  if (upload) return upload;
  const auto folder = folder_ / "uploads" / upload_id;
  const bool made = make && ::mkdir(folder.c_str(), 0700) == 0;
  const int saved = errno;
  if (!made && ::access(folder.c_str(), F_OK) != 0) {
    uploads_.erase(upload_id);
    if (!make) return base::fail(Code::kFailedPrecondition, "nothing has arrived for this upload");
    return std::unexpected(base::errno_error(saved, "make " + folder.string()));
  }
  if (made) SLIPWAY_TRY(sync_folder(folder_ / "uploads"));
  upload = std::make_shared<FileUpload>();
  upload->folder = folder;
  upload->read_records();
  return upload;
}

Result<std::unique_ptr<domain::BlobStore::Writer>> FileBlobStore::write_part(const std::string& upload_id,
                                                                             std::uint32_t index,
                                                                             std::uint64_t limit_bytes) {
  SLIPWAY_ASSIGN(auto upload, without_folder(upload_of(upload_id, true), folder_));
  return without_folder(open_part(std::move(upload), index, limit_bytes, folder_), folder_);
}

class FileBlobStore::FilePin final : public Pin {
 public:
  explicit FilePin(FileBlobStore& store) : store_(store), hold_(store.held_) {}
  Result<Blob> assemble(const std::string& upload_id, const std::vector<std::string>& etags) override {
    return without_folder(store_.assembled(hold_, upload_id, etags), store_.folder_);
  }
  Result<Blob> put(std::string_view bytes) override { return without_folder(store_.put(hold_, bytes), store_.folder_); }

 private:
  FileBlobStore& store_;
  HeldContent::Hold hold_;
};

std::unique_ptr<domain::BlobStore::Pin> FileBlobStore::pin() {
  return std::make_unique<FilePin>(*this);
}

Result<Blob> FileBlobStore::assembled(HeldContent::Hold& hold, const std::string& upload_id,
                                      const std::vector<std::string>& etags) {
  SLIPWAY_ASSIGN(const auto upload, upload_of(upload_id, false));
  const std::lock_guard lock(upload->mutex);
  if (upload->discarded) return base::fail(Code::kNotFound, "the upload has ended");
  const auto marker = upload->assembled();
  if (const auto text = base::read_file(marker, kRecordLimitBytes)) {
    const auto before = part_from_text(*text);
    const Blob blob = before ? Blob{before->sha256, before->size_bytes} : Blob{};
    if (before) hold.add(blob.sha256);
    if (before && renew(blob)) return blob;
  }
  if (etags.empty()) return base::fail(Code::kInvalidArgument, "an upload has one part or more");
  SLIPWAY_ASSIGN(const std::uint64_t size_bytes, check_parts(*upload, etags));

  auto file = upload->joined();
  Blob blob{.sha256 = {}, .size_bytes = size_bytes};
  if (upload->is_in_order(etags.size())) {
    // Bytes of a part that broke off may lie behind the committed ones.
    SLIPWAY_ASSIGN(OpenFile joined, OpenFile::open(file, O_RDWR));
    SLIPWAY_TRY(joined.truncate(size_bytes));
    if (upload->joined_hash) blob.sha256 = upload->joined_hash->clone().hex();
  } else if (etags.size() == 1 && !upload->parts.at(0).separate.empty()) {
    file = upload->folder / upload->parts.at(0).separate;
  } else {
    file = upload->folder / "copied";
    SLIPWAY_TRY(join(*upload, etags.size(), file));
  }
  if (etags.size() == 1) blob.sha256 = etags.front();
  if (blob.sha256.empty()) {
    SLIPWAY_ASSIGN(blob.sha256, base::sha256_hex_of_file(file));
  }
  SLIPWAY_TRY(base::write_file_durably(
      marker, to_text({.sha256 = blob.sha256, .size_bytes = size_bytes, .separate = {}, .offset = 0})));
  SLIPWAY_TRY(store(hold, file, blob));
  return blob;
}

bool FileBlobStore::renew(const Blob& blob) const {
  const std::lock_guard lock(mutex_);
  const auto path = path_of(blob);
  return path && stamp(*path);
}

bool FileBlobStore::stamp(const std::filesystem::path& file) const {
  const auto time = clock_.now().time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const timespec kept{.tv_sec = seconds.count(), .tv_nsec = std::chrono::nanoseconds(time - seconds).count()};
  const std::array<timespec, 2> times{kept, kept};
  return ::utimensat(AT_FDCWD, file.c_str(), times.data(), 0) == 0;
}

std::set<std::string> FileBlobStore::assembled_content() const {
  std::set<std::string> contents;
  std::error_code ignored;
  for (const auto& upload : std::filesystem::directory_iterator(folder_ / "uploads", ignored)) {
    const auto text = base::read_file(upload.path() / FileUpload::kAssembledMarker, kRecordLimitBytes);
    if (const auto part = text ? part_from_text(*text) : std::nullopt) contents.insert(part->sha256);
  }
  return contents;
}

Result<domain::BlobStore::Collected> FileBlobStore::collect(const InUse& in_use, base::Time before, bool only_count) {
  const HeldContent::Collection under_way(held_);
  // Before the rows: an upload is forgotten when its row is there.
  const std::set<std::string> assembled = assembled_content();
  SLIPWAY_ASSIGN(const std::set<std::string> used, in_use());
  Collected collected;
  std::error_code error;
  for (const auto& folder : std::filesystem::directory_iterator(folder_ / "blobs", error)) {
    if (!folder.is_directory(error)) continue;
    for (const auto& entry : std::filesystem::directory_iterator(folder.path(), error)) {
      const std::string sha256 = folder.path().filename().string() + entry.path().filename().string();
      if (!is_sha256(sha256) || used.contains(sha256) || assembled.contains(sha256)) continue;
      // Between this check and the removal nobody may pin it again.
      const std::lock_guard lock(mutex_);
      if (held_.contains(sha256)) continue;
      struct stat status {};
      if (::stat(entry.path().c_str(), &status) != 0) continue;
      const base::Time kept(std::chrono::seconds(status.st_mtim.tv_sec) +
                            std::chrono::microseconds(status.st_mtim.tv_nsec / 1000));
      if (kept >= before) continue;
      if (!only_count && ::unlink(entry.path().c_str()) != 0) {
        return std::unexpected(base::errno_error(errno, "remove " + entry.path().string()));
      }
      ++collected.count;
      collected.size_bytes += static_cast<std::uint64_t>(status.st_size);
    }
  }
  if (error) return std::unexpected(base::errno_error(error.value(), "read " + (folder_ / "blobs").string()));
  return collected;
}

Result<void> FileBlobStore::store(HeldContent::Hold& hold, const std::filesystem::path& file, const Blob& blob) {
  hold.add(blob.sha256);
  if (renew(blob)) {
    ::unlink(file.c_str());
    return {};
  }
  SLIPWAY_ASSIGN(const auto path, place_for(blob));
  if (!stamp(file)) return std::unexpected(base::errno_error(errno, "set the time of " + file.string()));
  return base::rename_durably(file, path);
}

Result<Blob> FileBlobStore::put(HeldContent::Hold& hold, std::string_view bytes) {
  const Blob blob{.sha256 = base::sha256_hex(bytes), .size_bytes = bytes.size()};
  hold.add(blob.sha256);
  if (renew(blob)) return blob;
  SLIPWAY_TRY(check_room(folder_, bytes.size()));
  SLIPWAY_ASSIGN(const auto path, place_for(blob));
  SLIPWAY_TRY(base::write_file_durably(path, bytes, 0600));
  static_cast<void>(renew(blob));
  return blob;
}

std::optional<std::uint64_t> FileBlobStore::room_bytes() const {
  return room_in(folder_);
}

void FileBlobStore::discard(const std::string& upload_id) {
  if (!check_upload_id(upload_id)) return;
  std::shared_ptr<FileUpload> upload;
  {
    const std::lock_guard lock(mutex_);
    const auto found = uploads_.find(upload_id);
    if (found != uploads_.end()) {
      upload = std::move(found->second);
      uploads_.erase(found);
    }
  }
  std::unique_lock<std::mutex> lock;
  if (upload) {
    lock = std::unique_lock(upload->mutex);
    upload->discarded = true;
  }
  std::error_code ignored;
  std::filesystem::remove_all(folder_ / "uploads" / upload_id, ignored);
}

Result<std::unique_ptr<domain::BlobStore::Reader>> FileBlobStore::open_read(const Blob& blob,
                                                                            domain::ByteRange range) const {
  SLIPWAY_ASSIGN(const auto path, path_of(blob));
  SLIPWAY_ASSIGN(OpenFile file, without_folder(OpenFile::open(path, O_RDONLY), folder_));
  return std::make_unique<FileReader>(std::move(file), range);
}

Result<std::filesystem::path> FileBlobStore::path_of(const Blob& blob) const {
  if (!is_sha256(blob.sha256)) return base::fail(Code::kNotFound, "'{}' names no content", blob.sha256);
  auto path = blob_path(blob.sha256);
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    return std::unexpected(base::errno_error(errno, "content " + blob.sha256));
  }
  const auto size_bytes = static_cast<std::uint64_t>(status.st_size);
  if (size_bytes != blob.size_bytes) {
    return base::fail(Code::kDataLoss, "content {}: expected {} bytes, found {}", blob.sha256, blob.size_bytes,
                      size_bytes);
  }
  return path;
}

Result<void> FileBlobStore::verify(const Blob& blob) const {
  SLIPWAY_ASSIGN(const auto path, path_of(blob));
  SLIPWAY_ASSIGN(const std::string found, base::sha256_hex_of_file(path));
  if (found == blob.sha256) return {};
  return base::fail(Code::kDataLoss, "content {}: its bytes hash to {}", blob.sha256, found);
}

}  // namespace slipway::hub::storage
