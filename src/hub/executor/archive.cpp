#include "hub/executor/archive.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <optional>
#include <set>

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/descriptor.hpp"
#include "base/files.hpp"
#include "base/utf8_names.hpp"

namespace slipway::hub::executor {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::fail;

struct CloseReader {
  void operator()(::archive* reader) const { ::archive_read_free(reader); }
};
struct CloseWriter {
  void operator()(::archive* writer) const { ::archive_write_free(writer); }
};
struct FreeEntry {
  void operator()(::archive_entry* entry) const { ::archive_entry_free(entry); }
};
using Reader = std::unique_ptr<::archive, CloseReader>;
using Writer = std::unique_ptr<::archive, CloseWriter>;

std::string reason(::archive* archive) {
  const char* text = ::archive_error_string(archive);
  return text != nullptr ? text : "unknown reason";
}

base::Result<Reader> open_archive(const fs::path& path) {
  Reader reader(::archive_read_new());
  // Only the reader that starts from the directory at the end: it sees what every other unzip sees.
  ::archive_read_support_format_zip_seekable(reader.get());
  if (::archive_read_open_filename(reader.get(), path.c_str(), 1 << 20) != ARCHIVE_OK) {
    return fail(Code::kInvalidArgument, "not a readable zip archive ({})", reason(reader.get()));
  }
  return reader;
}

/// The parts of an entry's name, once it is known to stay inside.
base::Result<std::vector<std::string>> parts_of(const std::string& name) {
  const auto refused = [&](std::string_view why) {
    return fail(Code::kInvalidArgument, "the zip entry \"{}\" {}: refused", name, why);
  };
  if (name.empty()) return refused("has no name");
  if (name.size() > 1024) return refused("has a name of more than 1024 bytes");
  if (name.front() == '/') return refused("has an absolute path");
  std::vector<std::string> parts;
  std::size_t start = 0;
  while (start <= name.size()) {
    const auto end = std::min(name.find('/', start), name.size());
    const auto part = name.substr(start, end - start);
    if (part == "..") return refused("climbs out of its folder");
    if (part.find('\\') != std::string::npos || part.find('\0') != std::string::npos) return refused("has a backslash");
    if (part.size() > 255) return refused("has a name of more than 255 bytes");
    const bool is_folder_mark = part.empty() && end == name.size();
    if ((part.empty() && !is_folder_mark) || part == ".") return refused("has an empty part");
    if (!part.empty()) parts.push_back(part);
    start = end + 1;
  }
  return parts;
}

/// The bytes of an entry's name as they stand in the file. libarchive composes the letters of names that are marked as
/// UTF-8 (è of e and a grave accent becomes one letter), and then a model does not find the file that it names. Nothing
/// where it takes a name as it is.
/// @param data_begin  of the entry: its local header ends there
std::optional<std::string> name_as_written(const base::Descriptor& file, std::uint64_t data_begin) {
  constexpr std::size_t kFixedBytes = 30, kLongestName = 1024, kMostExtraBytes = 1024;
  constexpr std::uint16_t kIsUtf8 = 1U << 11U;
  std::array<unsigned char, kFixedBytes + kLongestName + kMostExtraBytes> bytes{};
  const std::size_t count = std::min<std::uint64_t>(data_begin, bytes.size());
  if (::pread(file.get(), bytes.data(), count, static_cast<off_t>(data_begin - count)) != static_cast<ssize_t>(count)) {
    return std::nullopt;
  }
  const auto two_bytes = [&](std::size_t at) { return static_cast<unsigned>(bytes.at(at) | bytes.at(at + 1) << 8U); };
  // How long the header is stands in it: the nearest one that ends where the data begins.
  for (std::size_t begin = count < kFixedBytes ? 0 : count - kFixedBytes + 1; begin-- > 0;) {
    if (bytes.at(begin) != 'P' || bytes.at(begin + 1) != 'K' || two_bytes(begin + 2) != 0x0403) continue;
    const std::size_t name_bytes = two_bytes(begin + 26);
    if (begin + kFixedBytes + name_bytes + two_bytes(begin + 28) != count) continue;
    if ((two_bytes(begin + 6) & kIsUtf8) == 0) return std::nullopt;
    return std::string(reinterpret_cast<const char*>(bytes.data()) + begin + kFixedBytes, name_bytes);
  }
  return std::nullopt;
}

/// Walks the entries, checks each, and hands it on.
template <typename Visit>
base::Result<void> walk(const fs::path& path, const ArchiveLimits& limits, Visit&& visit) {
  const base::Utf8Names utf8_names;
  SLIPWAY_ASSIGN(auto reader, open_archive(path));
  const base::Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) return std::unexpected(base::errno_error(errno, "read the zip archive"));
  std::set<std::string> names;
  for (;;) {
    ::archive_entry* entry = nullptr;
    const int outcome = ::archive_read_next_header(reader.get(), &entry);
    if (outcome == ARCHIVE_EOF) break;
    if (outcome < ARCHIVE_WARN) {
      return fail(Code::kInvalidArgument, "not a readable zip archive ({})", reason(reader.get()));
    }
    const char* raw_name = ::archive_entry_pathname(entry);
    if (raw_name == nullptr) {
      return fail(Code::kInvalidArgument, "entry {} of the zip has a name that is marked as UTF-8 and is not: refused",
                  names.size() + 1);
    }
    std::string name = raw_name;
    const la_int64_t data_begin = ::archive_filter_bytes(reader.get(), 0);
    if (auto written = name_as_written(file, static_cast<std::uint64_t>(data_begin))) name = std::move(*written);
    SLIPWAY_ASSIGN(const auto parts, parts_of(name));
    const auto type = ::archive_entry_filetype(entry);
    if ((type != AE_IFREG && type != AE_IFDIR) || ::archive_entry_symlink(entry) != nullptr ||
        ::archive_entry_hardlink(entry) != nullptr) {
      return fail(Code::kInvalidArgument, "the zip entry \"{}\" is a link or a special file: refused", name);
    }
    if (::archive_entry_is_encrypted(entry) != 0) {
      return fail(Code::kInvalidArgument, "the zip entry \"{}\" is encrypted: refused", name);
    }
    std::string joined;
    for (const auto& part : parts) joined += "/" + part;
    if (!names.insert(joined).second) {
      return fail(Code::kInvalidArgument, "the zip holds the entry \"{}\" twice: refused", name);
    }
    if (names.size() > limits.entries) {
      return fail(Code::kInvalidArgument, "the zip has more than {} entries: refused", limits.entries);
    }
    SLIPWAY_TRY(visit(reader.get(), entry, name, parts, type == AE_IFDIR));
  }
  if (names.empty()) return fail(Code::kInvalidArgument, "the zip archive is empty");
  return {};
}

/// Counts what comes out of an archive against its limits.
class Growth {
 public:
  Growth(const fs::path& archive, const ArchiveLimits& limits) {
    std::error_code error;
    const auto size = fs::file_size(archive, error);
    const std::uint64_t by_ratio = error ? 0 : size * limits.ratio;
    allowed_bytes_ = std::min(limits.total_bytes, std::max(limits.slack_bytes, by_ratio));
  }
  base::Result<void> add(std::uint64_t bytes, const std::string& name) {
    total_bytes_ += bytes;
    if (total_bytes_ <= allowed_bytes_) return {};
    return fail(Code::kInvalidArgument, "the zip unpacks to more than {} bytes (at \"{}\"): refused", allowed_bytes_,
                name);
  }

 private:
  std::uint64_t allowed_bytes_ = 0, total_bytes_ = 0;
};

base::Result<void> unpack_file(::archive* reader, const fs::path& path, const std::string& name, Growth& growth) {
  const std::string what = fmt::format("unpack {}", name);
  const base::Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
  if (!file.is_open()) return std::unexpected(base::errno_error(errno, what));
  std::array<char, 256 * 1024> buffer;
  for (;;) {
    const auto count = ::archive_read_data(reader, buffer.data(), buffer.size());
    if (count == 0) return {};
    if (count < 0) {
      return fail(Code::kInvalidArgument, "the zip entry \"{}\" cannot be unpacked: {}", name, reason(reader));
    }
    SLIPWAY_TRY(growth.add(static_cast<std::uint64_t>(count), name));
    SLIPWAY_TRY(base::write_all(file.get(), {buffer.data(), static_cast<std::size_t>(count)}, what));
  }
}

std::unexpected<base::Error> pack_failed(::archive* writer, std::string_view what) {
  base::Error error = base::errno_error(::archive_errno(writer), what);
  error.message = fmt::format("{}: {}", what, reason(writer));
  return std::unexpected(std::move(error));
}

base::Result<void> pack_file(::archive* writer, const fs::path& path, const std::string& name) {
  std::error_code error;
  const auto size = fs::file_size(path, error);
  if (error) return std::unexpected(base::errno_error(error.value(), fmt::format("read {}", path.string())));
  const base::Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) return std::unexpected(base::errno_error(errno, fmt::format("read {}", path.string())));
  const std::unique_ptr<::archive_entry, FreeEntry> entry(::archive_entry_new());
  ::archive_entry_set_pathname(entry.get(), name.c_str());
  ::archive_entry_set_filetype(entry.get(), AE_IFREG);
  ::archive_entry_set_perm(entry.get(), 0644);
  ::archive_entry_set_size(entry.get(), static_cast<la_int64_t>(size));
  if (::archive_write_header(writer, entry.get()) != ARCHIVE_OK) return pack_failed(writer, "pack " + name);
  std::array<char, 256 * 1024> buffer;
  for (;;) {
    const ssize_t count = ::read(file.get(), buffer.data(), buffer.size());
    if (count == 0) return {};
    if (count < 0) return std::unexpected(base::errno_error(errno, fmt::format("read {}", path.string())));
    if (::archive_write_data(writer, buffer.data(), static_cast<std::size_t>(count)) != count) {
      return pack_failed(writer, "pack " + name);
    }
  }
}

}  // namespace

base::Result<std::vector<ArchiveEntry>> list_archive(const fs::path& archive, const ArchiveLimits& limits) {
  std::vector<ArchiveEntry> entries;
  SLIPWAY_TRY(walk(
      archive, limits,
      [&](::archive*, ::archive_entry* entry, const std::string& name, const std::vector<std::string>&,
          bool is_folder) {
        if (!is_folder) {
          entries.push_back({name, static_cast<std::uint64_t>(std::max<la_int64_t>(0, ::archive_entry_size(entry)))});
        }
        return base::Result<void>();
      }));
  return entries;
}

base::Result<fs::path> unpack_folder(const fs::path& archive, const fs::path& into, const ArchiveLimits& limits) {
  Growth growth(archive, limits);
  std::string top;
  const auto unpack_entry = [&](::archive* reader, ::archive_entry*, const std::string& name,
                                const std::vector<std::string>& parts, bool is_folder) -> base::Result<void> {
    if (top.empty()) top = parts.front();
    if (parts.front() != top || (parts.size() == 1 && !is_folder)) {
      return fail(Code::kInvalidArgument,
                  "the zip must hold one folder and everything in it, found \"{}\" beside the folder \"{}\"", name,
                  parts.size() == 1 && !is_folder && parts.front() == top ? "" : top);
    }
    fs::path path = into;
    for (const auto& part : parts) path /= part;
    std::error_code error;
    fs::create_directories(is_folder ? path : path.parent_path(), error);
    if (error) return std::unexpected(base::errno_error(error.value(), fmt::format("unpack {}", name)));
    return is_folder ? base::Result<void>() : unpack_file(reader, path, name, growth);
  };
  SLIPWAY_TRY(walk(archive, limits, unpack_entry));
  return into / top;
}

base::Result<void> pack_folder(const fs::path& folder, std::string_view top_name, const fs::path& archive) {
  const base::Utf8Names utf8_names;
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    if (at->is_regular_file(error)) files.push_back(at->path());
  }
  if (error) return std::unexpected(base::errno_error(error.value(), fmt::format("read {}", folder.string())));
  std::sort(files.begin(), files.end());

  const Writer writer(::archive_write_new());
  ::archive_write_set_format_zip(writer.get());
  ::archive_write_zip_set_compression_store(writer.get());
  if (::archive_write_open_filename(writer.get(), archive.c_str()) != ARCHIVE_OK) {
    return pack_failed(writer.get(), "write " + archive.string());
  }
  const std::string top(top_name);
  const std::unique_ptr<::archive_entry, FreeEntry> entry(::archive_entry_new());
  ::archive_entry_set_pathname(entry.get(), (top + "/").c_str());
  ::archive_entry_set_filetype(entry.get(), AE_IFDIR);
  ::archive_entry_set_perm(entry.get(), 0755);
  if (::archive_write_header(writer.get(), entry.get()) != ARCHIVE_OK) {
    return pack_failed(writer.get(), "write " + archive.string());
  }
  for (const auto& file : files) {
    SLIPWAY_TRY(pack_file(writer.get(), file, top + "/" + file.filename().string()));
  }
  if (::archive_write_close(writer.get()) != ARCHIVE_OK) {
    return pack_failed(writer.get(), "write " + archive.string());
  }
  return {};
}

base::Result<std::string> pack_graph(const fs::path& into, const fs::path& onnx, bool has_data_file,
                                     const std::string& stem, const std::string& top_name) {
  if (has_data_file) {
    const std::string name = stem + ".onnx.zip";
    SLIPWAY_TRY(pack_folder(onnx.parent_path(), top_name, into / name));
    return name;
  }
  const std::string name = stem + ".onnx";
  std::error_code error;
  fs::copy_file(onnx, into / name, fs::copy_options::overwrite_existing, error);
  if (error) return std::unexpected(base::errno_error(error.value(), fmt::format("write {}", name)));
  return name;
}

}  // namespace slipway::hub::executor
