#include "convert/archive/zip_archive.hpp"

#include <algorithm>
#include <cstring>
#include <optional>

#include <zlib.h>

#include "base/mapped_file.hpp"
#include "base/utf8.hpp"

namespace slipway::convert::archive {
namespace {

using base::Code;
using base::fail;
using Bytes = std::span<const std::byte>;

// Fixed parts of the records of a zip file (APPNOTE 6.3), without what varies behind them.
constexpr std::uint32_t kLocalSignature = 0x04034b50, kCentralSignature = 0x02014b50, kEndSignature = 0x06054b50;
constexpr std::uint32_t kEnd64Signature = 0x06064b50, kLocator64Signature = 0x07064b50;
constexpr std::size_t kLocalBytes = 30, kCentralBytes = 46, kEndBytes = 22, kEnd64Bytes = 56, kLocator64Bytes = 20;
constexpr std::size_t kMostCommentBytes = 0xFFFF;
constexpr std::uint16_t kStored = 0, kDeflated = 8;
constexpr std::uint16_t kEncrypted = 1U << 0U, kSizesFollow = 1U << 3U, kStronglyEncrypted = 1U << 6U,
                        kMaskedDirectory = 1U << 13U;
constexpr std::uint16_t kZip64Extra = 1, kIn64Bits16 = 0xFFFF;
constexpr std::uint32_t kIn64Bits32 = 0xFFFFFFFF;

template <typename T>
T little_endian(Bytes bytes, std::size_t at) {
  T value = 0;
  for (std::size_t i = sizeof(T); i-- > 0;) {
    value = static_cast<T>(value << 8U | std::to_integer<T>(bytes[at + i]));  // bytes.size() is checked by the caller
  }
  return value;
}

std::string_view text_of(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

struct Directory {
  std::uint64_t offset = 0, size_bytes = 0, entries = 0;
  std::uint64_t end = 0;  ///< where the records behind it begin
};

base::Result<Directory> find_directory(Bytes file) {
  if (file.size() < kEndBytes) {
    return fail(Code::kInvalidArgument, "not a zip archive: it has {} bytes, and the smallest has {}", file.size(),
                kEndBytes);
  }
  std::optional<std::size_t> end;
  const std::size_t first = file.size() - std::min(file.size(), kEndBytes + kMostCommentBytes);
  for (std::size_t at = file.size() - kEndBytes + 1; at-- > first;) {
    if (little_endian<std::uint32_t>(file, at) == kEndSignature &&
        at + kEndBytes + little_endian<std::uint16_t>(file, at + 20) == file.size()) {
      end = at;
      break;
    }
  }
  if (!end) {
    return fail(Code::kInvalidArgument,
                "no end of a zip archive in the last bytes of the file ({} bytes): it is no zip, or was cut short",
                file.size());
  }
  Directory directory{.offset = little_endian<std::uint32_t>(file, *end + 16),
                      .size_bytes = little_endian<std::uint32_t>(file, *end + 12),
                      .entries = little_endian<std::uint16_t>(file, *end + 10),
                      .end = *end};
  std::uint64_t disk = little_endian<std::uint16_t>(file, *end + 4);
  const bool asks_for_64 = directory.offset == kIn64Bits32 || directory.size_bytes == kIn64Bits32 ||
                           directory.entries == kIn64Bits16 || disk == kIn64Bits16;
  const bool has_locator =
      *end >= kLocator64Bytes && little_endian<std::uint32_t>(file, *end - kLocator64Bytes) == kLocator64Signature;
  if (asks_for_64 && !has_locator) {
    return fail(Code::kInvalidArgument,
                "the archive says that its directory is in the 64-bit form, which is not there");
  }
  if (has_locator) {
    const std::uint64_t at = little_endian<std::uint64_t>(file, *end - kLocator64Bytes + 8);
    if (at > *end - kLocator64Bytes || *end - kLocator64Bytes - at < kEnd64Bytes ||
        little_endian<std::uint32_t>(file, at) != kEnd64Signature) {
      return fail(Code::kInvalidArgument, "the 64-bit end of the archive should lie at byte {}, and does not", at);
    }
    disk = little_endian<std::uint32_t>(file, at + 16);
    directory = {.offset = little_endian<std::uint64_t>(file, at + 48),
                 .size_bytes = little_endian<std::uint64_t>(file, at + 40),
                 .entries = little_endian<std::uint64_t>(file, at + 32),
                 .end = at};
  }
  if (disk != 0)
    return fail(Code::kInvalidArgument, "the archive is part {} of several; one file is expected", disk + 1);
  if (directory.offset > directory.end || directory.size_bytes != directory.end - directory.offset) {
    return fail(Code::kInvalidArgument,
                "the archive's directory should take {} bytes from byte {} to byte {} where its end begins: bytes are "
                "missing or too many",
                directory.size_bytes, directory.offset, directory.end);
  }
  if (directory.entries > directory.size_bytes / kCentralBytes) {
    return fail(Code::kInvalidArgument, "the archive claims {} entries, more than its directory of {} bytes can hold",
                directory.entries, directory.size_bytes);
  }
  return directory;
}

/// What the central directory says of an entry.
struct Header {
  std::string name;
  std::uint16_t flags = 0, method = 0;
  std::uint32_t crc32 = 0;
  std::uint64_t stored_bytes = 0, size_bytes = 0, offset = 0, disk = 0;
};

/// Replaces fields that say "in 64 bits" by those of the zip64 extra field, in the order that the format gives them.
base::Result<void> read_zip64(Bytes extra, Header& header) {
  const bool size = header.size_bytes == kIn64Bits32, stored = header.stored_bytes == kIn64Bits32;
  const bool offset = header.offset == kIn64Bits32;
  if (!size && !stored && !offset) return {};
  for (std::size_t at = 0; at + 4 <= extra.size();) {
    const auto id = little_endian<std::uint16_t>(extra, at);
    const auto length = little_endian<std::uint16_t>(extra, at + 2);
    at += 4;
    if (length > extra.size() - at) break;
    if (id == kZip64Extra) {
      std::size_t place = at;
      for (auto [wanted, field] :
           {std::pair{size, &header.size_bytes}, {stored, &header.stored_bytes}, {offset, &header.offset}}) {
        if (!wanted) continue;
        if (place + 8 > at + length) return fail(Code::kInvalidArgument, "its 64-bit sizes are cut short");
        *field = little_endian<std::uint64_t>(extra, place);
        place += 8;
      }
      return {};
    }
    at += length;
  }
  return fail(Code::kInvalidArgument, "its sizes are said to be in 64 bits, and are not there");
}

struct Found {
  Header header;
  std::uint64_t begin = 0, end = 0;  ///< of the local header and the data
  Bytes stored;
};

/// Finds the data behind the local header, which must say the same as the central one.
base::Result<Found> locate(Bytes file, Header header, const Directory& directory) {
  if ((header.flags & (kEncrypted | kStronglyEncrypted | kMaskedDirectory)) != 0) {
    return fail(Code::kInvalidArgument, "it is encrypted; models are read only as they are");
  }
  if (header.method != kStored && header.method != kDeflated) {
    return fail(Code::kInvalidArgument, "it is packed by method {}; only stored (0) and deflated (8) are read",
                header.method);
  }
  if (header.disk != 0) return fail(Code::kInvalidArgument, "it lies in part {} of several", header.disk + 1);
  if (header.offset > directory.offset || directory.offset - header.offset < kLocalBytes) {
    return fail(Code::kInvalidArgument, "it begins at byte {}, and the entries end at byte {}", header.offset,
                directory.offset);
  }
  const Bytes local = file.subspan(header.offset, kLocalBytes);
  if (little_endian<std::uint32_t>(local, 0) != kLocalSignature) {
    return fail(Code::kInvalidArgument, "no entry begins at byte {}, where the directory places it", header.offset);
  }
  const auto name_bytes = little_endian<std::uint16_t>(local, 26);
  const std::uint64_t begin = header.offset + kLocalBytes + name_bytes + little_endian<std::uint16_t>(local, 28);
  if (begin > directory.offset || header.stored_bytes > directory.offset - begin) {
    return fail(Code::kInvalidArgument, "its {} bytes from byte {} on reach past byte {}, where the entries end",
                header.stored_bytes, begin, directory.offset);
  }
  const std::string_view name = text_of(file.subspan(header.offset + kLocalBytes, name_bytes));
  if (name != header.name) {
    return fail(Code::kInvalidArgument, "the entry itself is named '{}'", base::valid_utf8(name));
  }
  const bool differs = little_endian<std::uint16_t>(local, 8) != header.method ||
                       ((little_endian<std::uint16_t>(local, 6) ^ header.flags) & kEncrypted) != 0;
  const auto local_stored = little_endian<std::uint32_t>(local, 18);
  const bool sizes_follow = (little_endian<std::uint16_t>(local, 6) & kSizesFollow) != 0;
  if (differs || (!sizes_follow && local_stored != kIn64Bits32 && local_stored != header.stored_bytes)) {
    return fail(Code::kInvalidArgument,
                "the directory ({} bytes by method {}) and the entry itself ({} bytes by method "
                "{}) differ",
                header.stored_bytes, header.method, local_stored, little_endian<std::uint16_t>(local, 8));
  }
  if (header.method == kStored && header.stored_bytes != header.size_bytes) {
    return fail(Code::kInvalidArgument, "it is stored with {} bytes and said to unpack to {}", header.stored_bytes,
                header.size_bytes);
  }
  const Bytes stored = file.subspan(begin, header.stored_bytes);
  return Found{std::move(header), header.offset, begin + stored.size(), stored};
}

base::Result<std::vector<Found>> read_directory(Bytes file) {
  SLIPWAY_ASSIGN(const Directory directory, find_directory(file));
  const Bytes bytes = file.subspan(directory.offset, directory.size_bytes);
  std::vector<Found> found;
  found.reserve(directory.entries);
  std::size_t at = 0;
  for (std::uint64_t i = 0; i < directory.entries; ++i) {
    const auto cut = [&] {
      return fail(Code::kInvalidArgument, "the archive's directory ends within entry {} of {}", i + 1,
                  directory.entries);
    };
    if (bytes.size() - at < kCentralBytes) return cut();
    const Bytes record = bytes.subspan(at);
    if (little_endian<std::uint32_t>(record, 0) != kCentralSignature) {
      return fail(Code::kInvalidArgument, "entry {} of {} of the archive's directory is none", i + 1,
                  directory.entries);
    }
    const std::size_t name_bytes = little_endian<std::uint16_t>(record, 28);
    const std::size_t extra_bytes = little_endian<std::uint16_t>(record, 30);
    const std::size_t all = kCentralBytes + name_bytes + extra_bytes + little_endian<std::uint16_t>(record, 32);
    if (record.size() < all) return cut();
    Header header{.name = std::string(text_of(record.subspan(kCentralBytes, name_bytes))),
                  .flags = little_endian<std::uint16_t>(record, 8),
                  .method = little_endian<std::uint16_t>(record, 10),
                  .crc32 = little_endian<std::uint32_t>(record, 16),
                  .stored_bytes = little_endian<std::uint32_t>(record, 20),
                  .size_bytes = little_endian<std::uint32_t>(record, 24),
                  .offset = little_endian<std::uint32_t>(record, 42),
                  .disk = little_endian<std::uint16_t>(record, 34)};
    const std::string shown = fmt::format("entry '{}'", base::valid_utf8(header.name));
    if (header.name.empty() || header.name.find('\0') != std::string::npos) {
      return fail(Code::kInvalidArgument, "entry {} of the archive has no usable name", i + 1);
    }
    if (auto read = read_zip64(record.subspan(kCentralBytes + name_bytes, extra_bytes), header); !read) {
      return std::unexpected(read.error().with(shown));
    }
    auto located = locate(file, std::move(header), directory);
    if (!located) return std::unexpected(located.error().with(shown));
    found.push_back(std::move(*located));
    at += all;
  }
  if (at != bytes.size()) {
    return fail(Code::kInvalidArgument, "the archive's directory has {} bytes behind its {} entries", bytes.size() - at,
                directory.entries);
  }
  return found;
}

/// Entries that share bytes are how a small file unpacks to a huge one.
base::Result<void> check_apart(const std::vector<Found>& found) {
  std::vector<const Found*> sorted;
  sorted.reserve(found.size());
  for (const Found& one : found) sorted.push_back(&one);
  std::ranges::sort(sorted, {}, &Found::begin);
  for (std::size_t i = 1; i < sorted.size(); ++i) {
    if (sorted[i]->begin < sorted[i - 1]->end) {
      return fail(Code::kInvalidArgument, "entry '{}' begins at byte {}, within entry '{}', which ends at byte {}",
                  base::valid_utf8(sorted[i]->header.name), sorted[i]->begin,
                  base::valid_utf8(sorted[i - 1]->header.name), sorted[i - 1]->end);
    }
  }
  return {};
}

/// The first folder of the names, if they all share one: "" otherwise.
std::string shared_folder(const std::vector<Found>& found) {
  if (found.empty()) return {};
  const std::string& first = found.front().header.name;
  const std::string folder = first.substr(0, first.find('/') + 1);
  const bool all = std::ranges::all_of(found, [&](const Found& one) { return one.header.name.starts_with(folder); });
  return all ? folder : std::string();
}

base::Result<std::string> inflated(const ZipArchive::Entry& entry) {
  std::string text;
  text.resize(entry.size_bytes);
  z_stream stream{};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) return fail(base::Reason::kOutOfMemory, "no memory to inflate it");
  // Entries are below 4 GiB here: the caller's limit is.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(entry.stored.data()));
  stream.avail_in = static_cast<uInt>(entry.stored.size());
  stream.next_out = reinterpret_cast<Bytef*>(text.data());
  stream.avail_out = static_cast<uInt>(text.size());
  const int status = inflate(&stream, Z_FINISH);
  const bool is_whole = status == Z_STREAM_END && stream.avail_out == 0 && stream.avail_in == 0;
  const uLong got = stream.total_out;
  inflateEnd(&stream);
  if (!is_whole) {
    return fail(Code::kInvalidArgument, "it is damaged: {} of {} bytes could be inflated, or more follow", got,
                entry.size_bytes);
  }
  return text;
}

}  // namespace

base::Result<ZipArchive> ZipArchive::open(const std::filesystem::path& path) {
  SLIPWAY_ASSIGN(auto file, base::MappedFile::open(path));
  auto archive = over(file->bytes(), file);
  if (!archive) return std::unexpected(archive.error().with(path.string()));
  return archive;
}

base::Result<ZipArchive> ZipArchive::over(std::span<const std::byte> bytes, std::shared_ptr<const void> owner) {
  SLIPWAY_ASSIGN(std::vector<Found> found, read_directory(bytes));
  SLIPWAY_TRY(check_apart(found));
  ZipArchive archive;
  archive.owner_ = std::move(owner);
  archive.folder_ = shared_folder(found);
  archive.entries_.reserve(found.size());
  for (Found& one : found) {
    std::string name = one.header.name.substr(archive.folder_.size());
    if (name.empty() || name.ends_with('/')) continue;
    archive.entries_.push_back(
        {std::move(name), one.header.method == kDeflated, one.header.size_bytes, one.header.crc32, one.stored});
  }
  for (std::size_t i = 0; i < archive.entries_.size(); ++i) {
    if (!archive.places_.emplace(archive.entries_[i].name, i).second) {
      return fail(Code::kInvalidArgument, "entry '{}' occurs twice", base::valid_utf8(archive.entries_[i].name));
    }
  }
  return archive;
}

const ZipArchive::Entry* ZipArchive::find(std::string_view name) const {
  const auto place = places_.find(name);
  return place == places_.end() ? nullptr : &entries_[place->second];
}

base::Result<std::span<const std::byte>> ZipArchive::view(std::string_view name) const {
  const Entry* entry = find(name);
  if (entry == nullptr) return fail(Code::kNotFound, "the archive has no entry '{}'", base::valid_utf8(name));
  if (entry->is_deflated) {
    return fail(
        Code::kInvalidArgument,
        "entry '{}' is deflated; PyTorch stores it as it is, so the archive was packed again by another program",
        base::valid_utf8(name));
  }
  return entry->stored;
}

base::Result<std::string> ZipArchive::unpack(std::string_view name, std::uint64_t limit_bytes) const {
  const Entry* entry = find(name);
  if (entry == nullptr) return fail(Code::kNotFound, "the archive has no entry '{}'", base::valid_utf8(name));
  const std::uint64_t limit = std::min<std::uint64_t>(limit_bytes, 1U << 31U);
  if (entry->size_bytes > limit || entry->stored.size() > limit) {
    return fail(Code::kResourceExhausted, "entry '{}' unpacks to {} bytes; at most {} are read", base::valid_utf8(name),
                entry->size_bytes, limit);
  }
  auto text = entry->is_deflated ? inflated(*entry) : std::string(text_of(entry->stored));
  if (!text) return std::unexpected(text.error().with(fmt::format("entry '{}'", base::valid_utf8(name))));
  const uLong sum = crc32_z(crc32_z(0, nullptr, 0), reinterpret_cast<const Bytef*>(text->data()), text->size());
  if (sum != entry->crc32) {
    return fail(Code::kInvalidArgument, "entry '{}' is damaged: its check sum is {:08x}, and {:08x} is written down",
                base::valid_utf8(name), sum, entry->crc32);
  }
  return text;
}

}  // namespace slipway::convert::archive
