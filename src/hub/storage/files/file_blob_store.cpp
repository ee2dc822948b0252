#include "hub/storage/files/file_blob_store.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <optional>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/files.hpp"
#include "base/hash.hpp"
#include "base/text.hpp"
#include "hub/storage/files/open_file.hpp"
#include "hub/storage/upload_id.hpp"

namespace slipway::hub::storage {
namespace {

using base::Code;
using base::Result;
using domain::Blob;

constexpr std::size_t kShaDigits = 64;
constexpr std::uint64_t kRecordLimitBytes = 4096;

bool is_sha256(std::string_view text) {
  return text.size() == kShaDigits && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// The same outcome without the store's folder in its message: strangers read it, and where a hub keeps its data is
// nobody's business.
template <typename T>
Result<T> without_folder(Result<T> outcome, const std::filesystem::path& folder) {
  if (outcome) return outcome;
  const std::string beginning = folder.string() + "/";
  std::string& message = outcome.error().message;
  for (std::size_t at = 0; (at = message.find(beginning, at)) != std::string::npos;)
    message.erase(at, beginning.size());
  return outcome;
}

// Makes new names in a folder durable.
Result<void> sync_folder(const std::filesystem::path& folder) {
  SLIPWAY_ASSIGN(OpenFile opened, OpenFile::open(folder, O_RDONLY | O_DIRECTORY));
  return opened.sync();
}

std::optional<std::uint64_t> room_in(const std::filesystem::path& folder) {
  constexpr std::uint64_t kLargestReserve = 256ULL << 20;
  struct statvfs about {};
  if (::statvfs(folder.c_str(), &about) != 0) return std::nullopt;
  const std::uint64_t free_bytes = std::uint64_t{about.f_bavail} * about.f_frsize;
  const std::uint64_t reserve = std::min(std::uint64_t{about.f_blocks} * about.f_frsize / 8, kLargestReserve);
  return free_bytes > reserve ? free_bytes - reserve : 0;
}

Result<void> check_room(const std::filesystem::path& folder, std::uint64_t size_bytes) {
  const auto room = room_in(folder);
  if (!room || *room >= size_bytes) return {};
  return base::fail(base::Reason::kOutOfDisk, "{}: {} bytes are to be written, and {} are free beside the reserve",
                    folder.string(), size_bytes, *room);
}

// What is known of a received part.
struct Part {
  std::string sha256;
  std::uint64_t size_bytes = 0;
  std::string separate;      // file name; empty: in the joined file
  std::uint64_t offset = 0;  // in the joined file
};

constexpr std::string_view kJoinedAt = "joined@";

bool read_number(std::string_view text, std::uint64_t& number) {
  const auto parsed = base::parse_number<std::uint64_t>(text);
  number = parsed.value_or(0);
  return parsed.has_value();
}

std::string to_text(const Part& part) {
  return fmt::format("{} {} {}\n", part.sha256, part.size_bytes,
                     part.separate.empty() ? fmt::format("{}{}", kJoinedAt, part.offset) : part.separate);
}

std::optional<Part> part_from_text(std::string_view text) {
  if (!text.ends_with('\n')) return std::nullopt;
  text.remove_suffix(1);
  const auto first = text.find(' ');
  const auto second = first == std::string_view::npos ? first : text.find(' ', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  Part part;
  part.sha256 = text.substr(0, first);
  if (!is_sha256(part.sha256) || !read_number(text.substr(first + 1, second - first - 1), part.size_bytes)) {
    return std::nullopt;
  }
  const std::string_view place = text.substr(second + 1);
  if (!place.starts_with(kJoinedAt)) {
    part.separate = place;
  } else if (!read_number(place.substr(kJoinedAt.size()), part.offset)) {
    return std::nullopt;
  }
  return part;
}

}  // namespace

struct FileBlobStore::Upload {
  std::mutex mutex;
  std::filesystem::path folder;
  std::map<std::uint32_t, Part> parts;
  std::uint32_t joined_count = 0;           // parts 0 … joined_count - 1 have been written to the joined file
  std::uint64_t joined_bytes = 0;           // their committed bytes
  std::optional<base::Sha256> joined_hash;  // of those bytes; absent after a restart
  bool tail_taken = false;                  // a writer is adding to the joined file
  std::uint64_t next_separate = 0;          // above every number that a file of this upload has
  bool discarded = false;

  // Whether the joined file holds exactly these parts, and nobody is adding to it.
  [[nodiscard]] bool is_in_order(std::size_t count) const {
    return joined_count == count && !tail_taken &&
           std::ranges::all_of(parts, [](const auto& entry) { return entry.second.separate.empty(); });
  }

  [[nodiscard]] std::filesystem::path joined() const { return folder / "joined"; }
  [[nodiscard]] std::filesystem::path record(std::uint32_t index) const {
    return folder / fmt::format("part-{}", index);
  }

  // What a former process left behind.
  void read_records() {
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
      const std::string name = entry.path().filename().string();
      std::uint64_t number = 0;
      if (name.starts_with("separate-") && read_number(name.substr(name.rfind('-') + 1), number)) {
        next_separate = std::max(next_separate, number + 1);
      }
      std::uint32_t index = 0;
      if (!name.starts_with("part-")) continue;
      if (std::from_chars(name.data() + 5, name.data() + name.size(), index).ec != std::errc{}) continue;
      const auto text = base::read_file(entry.path(), kRecordLimitBytes);
      const auto part = text ? part_from_text(*text) : std::nullopt;
      if (part) parts[index] = *part;
    }
    for (const auto& [index, part] : parts) {
      if (!part.separate.empty()) continue;
      joined_count = index + 1;
      joined_bytes = part.offset + part.size_bytes;
    }
    if (joined_count == 0) joined_hash.emplace();
  }
};

namespace {

using Upload = FileBlobStore::Upload;

// Writes one part, either behind the joined file or to a file of its own. The upload's mutex is held only at the ends:
// while the tail is taken nobody else writes there, and a separate file has one writer.
class PartWriter final : public domain::BlobStore::Writer {
 public:
  PartWriter(std::shared_ptr<Upload> upload, std::uint32_t index, std::uint64_t limit_bytes,
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
    const Part part{.sha256 = part_hash_.hex(), .size_bytes = written_, .separate = separate_, .offset = offset_};
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

  std::shared_ptr<Upload> upload_;
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

Result<std::uint64_t> check_parts(const Upload& upload, const std::vector<std::string>& etags) {
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
Result<void> join(const Upload& upload, std::size_t count, const std::filesystem::path& target) {
  std::uint64_t size_bytes = 0;
  for (std::uint32_t index = 0; index < count; ++index) size_bytes += upload.parts.at(index).size_bytes;
  SLIPWAY_TRY(check_room(upload.folder, size_bytes));
  SLIPWAY_ASSIGN(OpenFile output, OpenFile::open(target, O_WRONLY | O_CREAT | O_TRUNC));
  std::uint64_t written = 0;
  for (std::uint32_t index = 0; index < count; ++index) {
    const Part& part = upload.parts.at(index);
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

Result<std::shared_ptr<Upload>> FileBlobStore::upload_of(const std::string& upload_id, bool make) {
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
  upload = std::make_shared<Upload>();
  upload->folder = folder;
  upload->read_records();
  return upload;
}

Result<std::unique_ptr<domain::BlobStore::Writer>> FileBlobStore::write_part(const std::string& upload_id,
                                                                             std::uint32_t index,
                                                                             std::uint64_t limit_bytes) {
  SLIPWAY_ASSIGN(auto upload, without_folder(upload_of(upload_id, true), folder_));
  auto writer = std::make_unique<PartWriter>(std::move(upload), index, limit_bytes, folder_);
  SLIPWAY_TRY(without_folder(writer->open(), folder_));
  return writer;
}

Result<Blob> FileBlobStore::assemble(const std::string& upload_id, const std::vector<std::string>& etags) {
  return without_folder(assembled(upload_id, etags), folder_);
}

Result<Blob> FileBlobStore::assembled(const std::string& upload_id, const std::vector<std::string>& etags) {
  SLIPWAY_ASSIGN(const auto upload, upload_of(upload_id, false));
  const std::lock_guard lock(upload->mutex);
  if (upload->discarded) return base::fail(Code::kNotFound, "the upload has ended");
  const auto marker = upload->folder / "assembled";
  if (const auto text = base::read_file(marker, kRecordLimitBytes)) {
    const auto before = part_from_text(*text);
    const Blob blob = before ? Blob{before->sha256, before->size_bytes} : Blob{};
    if (before && keep_again(blob)) return blob;
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
  SLIPWAY_TRY(keep(file, blob));
  return blob;
}

bool FileBlobStore::keep_again(const Blob& blob) const {
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

Result<domain::BlobStore::Collected> FileBlobStore::collect(const std::set<std::string>& used, base::Time before,
                                                            bool only_count) {
  Collected collected;
  std::error_code error;
  for (const auto& folder : std::filesystem::directory_iterator(folder_ / "blobs", error)) {
    if (!folder.is_directory(error)) continue;
    for (const auto& entry : std::filesystem::directory_iterator(folder.path(), error)) {
      const std::string sha256 = folder.path().filename().string() + entry.path().filename().string();
      if (!is_sha256(sha256) || used.contains(sha256)) continue;
      // Between this look and the removal nobody may keep it again.
      const std::lock_guard lock(mutex_);
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

Result<void> FileBlobStore::keep(const std::filesystem::path& file, const Blob& blob) {
  if (keep_again(blob)) {
    ::unlink(file.c_str());
    return {};
  }
  SLIPWAY_ASSIGN(const auto path, place_for(blob));
  if (!stamp(file)) return std::unexpected(base::errno_error(errno, "set the time of " + file.string()));
  return base::rename_durably(file, path);
}

Result<Blob> FileBlobStore::put(std::string_view bytes) {
  const Blob blob{.sha256 = base::sha256_hex(bytes), .size_bytes = bytes.size()};
  if (keep_again(blob)) return blob;
  SLIPWAY_TRY(without_folder(check_room(folder_, bytes.size()), folder_));
  SLIPWAY_ASSIGN(const auto path, without_folder(place_for(blob), folder_));
  SLIPWAY_TRY(without_folder(base::write_file_durably(path, bytes, 0600), folder_));
  static_cast<void>(keep_again(blob));
  return blob;
}

std::optional<std::uint64_t> FileBlobStore::room_bytes() const {
  return room_in(folder_);
}

void FileBlobStore::discard(const std::string& upload_id) {
  if (!check_upload_id(upload_id)) return;
  std::shared_ptr<Upload> upload;
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
