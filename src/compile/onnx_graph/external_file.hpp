#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "base/descriptor.hpp"
#include "base/error.hpp"

namespace onnx {
class TensorProto;
}

namespace slipway::compile::onnx_graph {

/// Where the bytes of a tensor lie, as its `external_data` entries say.
struct ExternalLocation {
  std::string file;  ///< relative to the model's folder, as written
  std::uint64_t offset = 0;
  std::uint64_t length = 0;  ///< bytes that the tensor's type and shape need
};

/// Begins the location of a tensor whose bytes Model::retain_view() holds. No file can be named so.
inline constexpr std::string_view kViewLocation = "*/view/";

/// Makes the tensor one whose bytes lie in a file, or a view, from `offset` on.
/// @pre  its type and shape are set
void set_external_location(onnx::TensorProto& tensor, const std::string& file, std::uint64_t offset);

/// Reads the `external_data` entries of a tensor whose data_location is EXTERNAL.
/// @error kInvalidArgument: no location, a key twice, an unknown key, a number that is not one, a length that differs
///        from what type and shape need
[[nodiscard]] base::Result<ExternalLocation> external_location(const onnx::TensorProto& tensor);

/// A regular file below a folder, opened without following a link on the way. What was checked is what is read: the
/// object holds the open file, not its name.
class ExternalFile {
 public:
  /// @param location  relative, components divided by '/'; `.` is allowed, `..`, backslashes and absolute paths are not
  /// @error kInvalidArgument: the path climbs out or names a link, a folder or a device; kNotFound: no such file
  [[nodiscard]] static base::Result<ExternalFile> open(const std::filesystem::path& folder, std::string_view location);

  [[nodiscard]] std::uint64_t size_bytes() const { return size_bytes_; }

  /// Appends `length` bytes from `offset` to an open file.
  /// @error kInvalidArgument: the file is shorter; kResourceExhausted: disk full; kInternal: read or write error
  [[nodiscard]] base::Result<void> copy_to(int descriptor, std::uint64_t offset, std::uint64_t length) const;

  /// Reads as many bytes as `bytes` has room for, from `offset`.
  /// @error kInvalidArgument: the file is shorter; kInternal: read error
  [[nodiscard]] base::Result<void> read(std::span<std::byte> bytes, std::uint64_t offset) const;

  /// Copies the file, sharing blocks where the file system can. A hard link would be cheaper, but the `onnx` package
  /// refuses external data that has two names.
  [[nodiscard]] base::Result<void> copy_as(const std::filesystem::path& target) const;

 private:
  [[nodiscard]] base::Result<void> check_reach(std::uint64_t offset, std::uint64_t length) const;
  ExternalFile(base::Descriptor descriptor, std::uint64_t size_bytes, std::string location)
      : descriptor_(std::move(descriptor)), size_bytes_(size_bytes), location_(std::move(location)) {}
  base::Descriptor descriptor_;
  std::uint64_t size_bytes_ = 0;
  std::string location_;
};

/// Checks the form of a relative path and returns it without `.` components.
/// @error kInvalidArgument: empty, absolute, `..`, a backslash or control character, too long (it is named)
[[nodiscard]] base::Result<std::string> plain_relative_path(std::string_view location);

}  // namespace slipway::compile::onnx_graph
