#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "base/files.hpp"

namespace slipway::cli {

/// An input that is read from its beginning more than once, or not in order. A stream ("-", a pipe, `<(…)`) is read
/// once into a temporary file, which goes with the object.
class SeekableInput {
 public:
  /// @param ending  of the temporary file's name, for who asks it what is in the file
  /// @error as base::errno_error; kCancelled: Ctrl-C
  [[nodiscard]] static base::Result<SeekableInput> of(const std::filesystem::path& path,
                                                      const std::string& ending = "");

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  std::optional<base::TemporaryFolder> folder_;
};

/// The text with streams under the names that the user gave them, not those of their temporary files.
/// @param is_json  the text is JSON: names are written as inside its strings
[[nodiscard]] std::string with_given_names(std::string text, bool is_json = false);

}  // namespace slipway::cli
