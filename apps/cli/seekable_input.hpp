#pragma once

#include <filesystem>
#include <optional>

#include "base/error.hpp"
#include "base/files.hpp"

namespace slipway::cli {

/// An input that is read from its beginning more than once, or not in order. A stream ("-", a pipe, `<(…)`) is read
/// once into a temporary file, which goes with the object.
class SeekableInput {
 public:
  /// @error as base::errno_error; kCancelled: Ctrl-C
  [[nodiscard]] static base::Result<SeekableInput> of(const std::filesystem::path& path);

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  std::optional<base::TemporaryFolder> folder_;
};

}  // namespace slipway::cli
