#include "tensor/npz.hpp"

#include <algorithm>
#include <array>
#include <memory>

#include <archive.h>
#include <archive_entry.h>

#include "base/file_kind.hpp"
#include "base/files.hpp"
#include "base/output_file.hpp"
#include "base/utf8_names.hpp"
#include "tensor/npy.hpp"

namespace slipway::tensor {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBlockBytes = 1U << 16U;
constexpr std::string_view kSuffix = ".npy";
// Deflate cannot shrink data by more than this, so a header that asks for more is lying.
constexpr std::uint64_t kMostDeflateRatio = 1032;

struct CloseReader {
  void operator()(archive* handle) const { archive_read_free(handle); }
};
struct CloseWriter {
  void operator()(archive* handle) const { archive_write_free(handle); }
};
struct FreeEntry {
  void operator()(archive_entry* entry) const { archive_entry_free(entry); }
};

std::string_view message_of(archive* handle) {
  const char* text = archive_error_string(handle);
  return text == nullptr ? "no reason given" : text;
}

/// Fills `out` from the current entry; fewer bytes than asked for is an error.
base::Result<void> read_exactly(archive* handle, std::span<std::byte> out) {
  std::size_t done = 0;
  while (done < out.size()) {
    const la_ssize_t got = archive_read_data(handle, out.data() + done, out.size() - done);
    if (got < 0) return base::fail(base::Code::kInvalidArgument, "it cannot be unpacked: {}", message_of(handle));
    if (got == 0) {
      return base::fail(base::Code::kInvalidArgument, "it ends after {} of {} bytes", done, out.size());
    }
    done += static_cast<std::size_t>(got);
  }
  return {};
}

base::Result<NpyHeader> read_header(archive* handle) {
  std::array<std::byte, 12> preamble{};
  SLIPWAY_TRY(read_exactly(handle, std::span(preamble).first(8)));
  if (std::string_view(reinterpret_cast<const char*>(preamble.data()), kNpyMagic.size()) != kNpyMagic) {
    return base::fail(base::Code::kInvalidArgument, "it is not an .npy array");
  }
  const auto major = std::to_integer<unsigned>(preamble[6]);
  if (major < 1 || major > 3) {
    return base::fail(base::Code::kInvalidArgument, "its .npy version {} is not 1, 2 or 3", major);
  }
  const std::size_t length_bytes = major == 1 ? 2 : 4;
  SLIPWAY_TRY(read_exactly(handle, std::span(preamble).subspan(8, length_bytes)));
  std::size_t length = 0;
  for (std::size_t i = length_bytes; i-- > 0;) length = length << 8U | std::to_integer<std::size_t>(preamble[8 + i]);
  if (length > kBlockBytes) {
    return base::fail(base::Code::kInvalidArgument, "its .npy header claims {} bytes, more than any array needs",
                      length);
  }
  std::string text(length, '\0');
  SLIPWAY_TRY(read_exactly(handle, std::as_writable_bytes(std::span(text))));
  return parse_npy_dictionary(text);
}

base::Result<Tensor> read_entry(archive* handle, std::uint64_t archive_bytes) {
  SLIPWAY_ASSIGN(NpyHeader header, read_header(handle));
  const auto count = element_count(header.shape);
  const std::uint64_t limit = archive_bytes * kMostDeflateRatio / dtype_size_bytes(header.dtype);
  if (!count || static_cast<std::uint64_t>(*count) > limit) {
    return base::fail(base::Code::kInvalidArgument, "its header claims {}, which cannot be in a file of {} bytes",
                      to_string(header.dtype, header.shape), archive_bytes);
  }
  SLIPWAY_ASSIGN(Tensor tensor, Tensor::zeros(header.dtype, std::move(header.shape)));
  if (auto read = read_exactly(handle, tensor.bytes()); !read) {
    return std::unexpected(read.error().with(fmt::format(
        "its header claims {} ({} bytes)", to_string(tensor.dtype(), tensor.shape()), tensor.size_bytes())));
  }
  std::byte extra{};
  if (archive_read_data(handle, &extra, 1) != 0) {
    return base::fail(base::Code::kInvalidArgument, "it holds more bytes than its header's {} needs",
                      to_string(tensor.dtype(), tensor.shape()));
  }
  return tensor;
}

}  // namespace

base::Result<NamedTensors> read_npz(const fs::path& path) {
  std::error_code error;
  const std::uint64_t archive_bytes = fs::file_size(path, error);
  if (error) {
    if (!fs::exists(path)) return base::fail(base::Code::kNotFound, "{}: no such file", path.string());
    return base::fail(base::Code::kInvalidArgument, "{}: not a plain file", path.string());
  }
  constexpr std::uint64_t kSmallestZipBytes = 22;
  if (archive_bytes < kSmallestZipBytes) {
    return base::fail(base::Code::kInvalidArgument, "{}: not an .npz (a zip of .npy arrays): found {}, {} bytes",
                      path.string(), base::kind_of_file(path), archive_bytes);
  }
  std::unique_ptr<archive, CloseReader> handle(archive_read_new());
  archive_read_support_format_zip(handle.get());
  const auto refuse = [&] {
    const std::string_view kind = base::kind_of_file(path);
    return base::fail(
        base::Code::kInvalidArgument, "{}: not an .npz (a zip of .npy arrays): {}", path.string(),
        kind.ends_with("zip archive") ? std::string(message_of(handle.get())) : fmt::format("found {}", kind));
  };
  if (archive_read_open_filename(handle.get(), path.c_str(), kBlockBytes) != ARCHIVE_OK) return refuse();
  const base::Utf8Names names;
  NamedTensors tensors;
  while (true) {
    archive_entry* entry = nullptr;
    const int status = archive_read_next_header(handle.get(), &entry);
    if (status == ARCHIVE_EOF) break;
    if (status != ARCHIVE_OK && status != ARCHIVE_WARN) return refuse();
    const char* raw_name = archive_entry_pathname_utf8(entry);
    if (raw_name == nullptr) raw_name = archive_entry_pathname(entry);
    std::string name = raw_name == nullptr ? "" : raw_name;
    if (!name.ends_with(kSuffix)) {
      return base::fail(base::Code::kInvalidArgument, "{}: entry '{}' is not an .npy array", path.string(), name);
    }
    auto tensor = read_entry(handle.get(), archive_bytes);
    if (!tensor) return std::unexpected(tensor.error().with(fmt::format("{}: entry '{}'", path.string(), name)));
    name.resize(name.size() - kSuffix.size());
    if (std::ranges::any_of(tensors, [&](const NamedTensor& other) { return other.name == name; })) {
      return base::fail(base::Code::kInvalidArgument, "{}: entry '{}' occurs twice", path.string(), name);
    }
    tensors.push_back({std::move(name), std::move(*tensor)});
  }
  return tensors;
}

base::Result<void> write_npz(const fs::path& path, const NamedTensors& tensors) {
  SLIPWAY_ASSIGN(base::OutputFile file, base::OutputFile::create(path));
  std::unique_ptr<archive, CloseWriter> handle(archive_write_new());
  const auto failed = [&] {
    const int number = archive_errno(handle.get());
    if (number > 0) return std::unexpected(base::errno_error(number, path.string()));
    return std::unexpected(base::Error{
        base::Code::kInternal, fmt::format("{}: cannot be written: {}", path.string(), message_of(handle.get()))});
  };
  const base::Utf8Names names;
  archive_write_set_format_zip(handle.get());
  archive_write_zip_set_compression_store(handle.get());
  archive_write_set_options(handle.get(), "hdrcharset=UTF-8");
  archive_write_set_bytes_in_last_block(handle.get(), 1);  // into pipes too: no padding behind the end
  if (archive_write_open_fd(handle.get(), file.descriptor()) != ARCHIVE_OK) return failed();
  for (const NamedTensor& named : tensors) {
    auto header = npy_header({named.tensor.dtype(), named.tensor.shape()});
    if (!header) return std::unexpected(header.error().with(fmt::format("{}: array '{}'", path.string(), named.name)));
    std::unique_ptr<archive_entry, FreeEntry> entry(archive_entry_new());
    const std::string name = named.name + std::string(kSuffix);
    archive_entry_set_pathname(entry.get(), name.c_str());
    archive_entry_set_pathname_utf8(entry.get(), name.c_str());
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    archive_entry_set_perm(entry.get(), 0644);
    archive_entry_set_size(entry.get(), static_cast<la_int64_t>(header->size() + named.tensor.size_bytes()));
    const int status = archive_write_header(handle.get(), entry.get());
    if (status != ARCHIVE_OK && status != ARCHIVE_WARN) return failed();
    const auto write = [&](const void* data, std::size_t size) {
      return size == 0 || archive_write_data(handle.get(), data, size) == static_cast<la_ssize_t>(size);
    };
    if (!write(header->data(), header->size()) || !write(named.tensor.bytes().data(), named.tensor.size_bytes())) {
      return failed();
    }
  }
  if (archive_write_close(handle.get()) != ARCHIVE_OK) return failed();
  return file.publish();
}

}  // namespace slipway::tensor
