#include "compile/onnx_graph/external_file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <set>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include <onnx.pb.h>
#include <sys/stat.h>

#include "base/files.hpp"
#include "base/text.hpp"
#include "compile/onnx_graph/element_type.hpp"

namespace slipway::compile::onnx_graph {
namespace {

constexpr std::size_t kLongestPath = 4096;

/// A name from a stranger's file, fit for a message: short and printable.
std::string shown(std::string_view text) {
  std::string result;
  for (const char c : text.substr(0, 120)) result += (c >= ' ' && c != 127) ? c : '?';
  if (text.size() > 120) result += "…";
  return result;
}

base::Result<std::uint64_t> number(std::string_view key, std::string_view text) {
  if (const auto value = base::parse_number<std::uint64_t>(text)) return *value;
  return base::fail(base::Code::kInvalidArgument,
                    "external data: {} is \"{}\", expected a number of bytes from 0 to 2^64 - 1", key, shown(text));
}

std::vector<std::string_view> components_of(std::string_view path) {
  std::vector<std::string_view> components;
  while (!path.empty()) {
    const auto slash = path.find('/');
    const auto component = path.substr(0, slash);
    if (!component.empty() && component != ".") components.push_back(component);
    path = slash == std::string_view::npos ? std::string_view{} : path.substr(slash + 1);
  }
  return components;
}

base::Error open_failure(int error_number, int folder, const std::string& component, std::string_view location) {
  struct stat status {};
  const bool is_link =
      ::fstatat(folder, component.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(status.st_mode);
  if (is_link || error_number == ELOOP) {
    return {base::Code::kInvalidArgument,
            fmt::format("external data file \"{}\": \"{}\" is a symbolic link; only plain files beside the model are "
                        "read",
                        shown(location), shown(component))};
  }
  if (error_number == ENOENT || error_number == ENOTDIR) {
    return {base::Code::kNotFound, fmt::format("external data file \"{}\" is missing: upload the model as a folder "
                                               "with all its data files",
                                               shown(location))};
  }
  return base::errno_error(error_number, fmt::format("open the external data file \"{}\"", shown(location)));
}

}  // namespace

base::Result<std::string> plain_relative_path(std::string_view location) {
  const auto refuse = [&](std::string_view reason) {
    return base::fail(base::Code::kInvalidArgument, "external data file \"{}\": {}", shown(location), reason);
  };
  if (location.empty()) return refuse("the name is empty");
  if (location.size() > kLongestPath) return refuse("the name is longer than 4096 bytes");
  if (location.front() == '/') return refuse("the path is absolute; it must stay inside the model's folder");
  // ONNX Runtime reads an address in its own memory from such a name, and we a view.
  if (location.contains("_ORT_MEM_ADDR_") || location.starts_with(kViewLocation))
    return refuse("the name stands for a memory address, not for a file");
  for (const char c : location) {
    if (c == '\\') return refuse("backslashes are not allowed; divide folders with '/'");
    if (static_cast<unsigned char>(c) < ' ') return refuse("control characters are not allowed");
  }
  if (location.size() >= 2 && location[1] == ':') return refuse("drive letters are not allowed");
  std::string plain;
  for (const auto component : components_of(location)) {
    if (component == "..") return refuse("the path climbs out with \"..\"; it must stay inside the model's folder");
    if (!plain.empty()) plain += '/';
    plain += component;
  }
  if (plain.empty()) return refuse("the path names no file");
  return plain;
}

void set_external_location(onnx::TensorProto& tensor, const std::string& file, std::uint64_t offset) {
  tensor.clear_external_data();
  tensor.set_data_location(onnx::TensorProto::EXTERNAL);
  const auto add = [&](const char* key, std::string value) {
    auto* entry = tensor.add_external_data();
    entry->set_key(key);
    entry->set_value(std::move(value));
  };
  add("location", file);
  add("offset", fmt::format("{}", offset));
  add("length", fmt::format("{}", tensor_size_bytes(tensor).value_or(0)));
}

base::Result<ExternalLocation> external_location(const onnx::TensorProto& tensor) {
  ExternalLocation location;
  std::optional<std::uint64_t> length;
  std::set<std::string_view> keys;
  for (const auto& entry : tensor.external_data()) {
    if (!keys.insert(entry.key()).second) {
      return base::fail(base::Code::kInvalidArgument, "external data: the key \"{}\" stands twice", shown(entry.key()));
    }
    if (entry.key() == "location") {
      location.file = entry.value();
    } else if (entry.key() == "offset") {
      SLIPWAY_ASSIGN(location.offset, number("offset", entry.value()));
    } else if (entry.key() == "length") {
      SLIPWAY_ASSIGN(length, number("length", entry.value()));
    } else if (entry.key() != "checksum") {
      return base::fail(base::Code::kInvalidArgument,
                        "external data: unknown key \"{}\"; known are location, offset, length, checksum",
                        shown(entry.key()));
    }
  }
  if (!keys.contains("location")) {
    return base::fail(base::Code::kInvalidArgument, "external data without a location");
  }
  const auto needed = tensor_size_bytes(tensor);
  if (!needed) {
    return base::fail(base::Code::kInvalidArgument,
                      "external data of a tensor whose type ({}) and shape have no size in bytes",
                      element_type_name(tensor.data_type()));
  }
  if (length && *length != *needed) {
    return base::fail(base::Code::kInvalidArgument,
                      "external data: length is {} bytes, but the tensor's type and shape need {}", *length, *needed);
  }
  location.length = *needed;
  return location;
}

base::Result<ExternalFile> ExternalFile::open(const std::filesystem::path& folder, std::string_view location) {
  SLIPWAY_ASSIGN(const std::string plain, plain_relative_path(location));
  base::Descriptor current(::open(folder.empty() ? "." : folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!current.is_open()) {
    return std::unexpected(base::errno_error(errno, fmt::format("open the model's folder {}", folder.string())));
  }
  const auto components = components_of(plain);
  for (std::size_t i = 0; i < components.size(); ++i) {
    const std::string component(components[i]);
    const bool is_last = i + 1 == components.size();
    // O_NONBLOCK: a named pipe must not hold us up before it is refused.
    const int flags = O_NOFOLLOW | O_CLOEXEC | (is_last ? O_RDONLY | O_NONBLOCK : O_PATH | O_DIRECTORY);
    base::Descriptor next(::openat(current.get(), component.c_str(), flags));
    if (!next.is_open()) return std::unexpected(open_failure(errno, current.get(), component, location));
    current = std::move(next);
  }
  struct stat status {};
  if (::fstat(current.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return base::fail(base::Code::kInvalidArgument, "external data file \"{}\" is not a plain file", shown(location));
  }
  return ExternalFile(std::move(current), static_cast<std::uint64_t>(status.st_size), plain);
}

base::Result<void> ExternalFile::check_reach(std::uint64_t offset, std::uint64_t length) const {
  if (offset <= size_bytes_ && length <= size_bytes_ - offset) return {};
  return base::fail(base::Code::kInvalidArgument,
                    "external data file \"{}\" has {} bytes, but {} bytes from {} are asked for", location_,
                    size_bytes_, length, offset);
}

base::Result<void> ExternalFile::read(std::span<std::byte> bytes, std::uint64_t offset) const {
  SLIPWAY_TRY(check_reach(offset, bytes.size()));
  while (!bytes.empty()) {
    const ssize_t count = ::pread(descriptor_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      return std::unexpected(base::errno_error(count == 0 ? EIO : errno, fmt::format("read \"{}\"", location_)));
    }
    bytes = bytes.subspan(static_cast<std::size_t>(count));
    offset += static_cast<std::uint64_t>(count);
  }
  return {};
}

base::Result<void> ExternalFile::copy_to(int descriptor, std::uint64_t offset, std::uint64_t length) const {
  SLIPWAY_TRY(check_reach(offset, length));
  std::vector<char> buffer(std::min<std::uint64_t>(length, 1U << 20));
  while (length > 0) {
    const ssize_t count = ::pread(descriptor_.get(), buffer.data(), std::min<std::uint64_t>(length, buffer.size()),
                                  static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      return std::unexpected(base::errno_error(count == 0 ? EIO : errno, fmt::format("read \"{}\"", location_)));
    }
    SLIPWAY_TRY(base::write_all(descriptor, {buffer.data(), static_cast<std::size_t>(count)}, "write external data"));
    offset += static_cast<std::uint64_t>(count);
    length -= static_cast<std::uint64_t>(count);
  }
  return {};
}

base::Result<void> ExternalFile::copy_as(const std::filesystem::path& target) const {
  ::unlink(target.c_str());
  base::Descriptor copy(::open(target.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (!copy.is_open()) return std::unexpected(base::errno_error(errno, fmt::format("create {}", target.string())));
  off_t position = 0;
  while (static_cast<std::uint64_t>(position) < size_bytes_) {
    const auto rest = size_bytes_ - static_cast<std::uint64_t>(position);
    if (::copy_file_range(descriptor_.get(), &position, copy.get(), nullptr, rest, 0) <= 0) break;
  }
  const auto done = static_cast<std::uint64_t>(position);
  auto outcome = copy_to(copy.get(), done, size_bytes_ - done);  // what the kernel could not copy by itself
  if (copy.close() != 0 && outcome) {
    outcome = std::unexpected(base::errno_error(errno, fmt::format("write {}", target.string())));
  }
  return outcome;
}

}  // namespace slipway::compile::onnx_graph
