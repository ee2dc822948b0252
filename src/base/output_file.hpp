#pragma once

#include <filesystem>
#include <string_view>

#include "base/descriptor.hpp"
#include "base/error.hpp"

namespace slipway::base {

/// A file in the making: its bytes gather in a hidden file beside the target, whose place it takes when it is whole.
/// Without publish() nothing is left of it. A link is followed. What is no plain file (a pipe, a device, standard
/// output) gets the bytes as they come and is never replaced.
/// @thread one object belongs to one thread
class OutputFile {
 public:
  /// Opening a pipe waits for its reader.
  /// @param mode  permission bits of the file
  /// @error as errno_error: no such folder, not allowed
  [[nodiscard]] static Result<OutputFile> create(const std::filesystem::path& path, unsigned mode = 0644);
  OutputFile(OutputFile&& other) noexcept;
  OutputFile& operator=(OutputFile&& other) noexcept;
  ~OutputFile();

  /// True for what gets its bytes as they come: nothing of it can be written twice, or looked at again.
  [[nodiscard]] bool is_stream() const { return hidden_.empty(); }
  [[nodiscard]] int descriptor() const { return file_.get(); }               ///< for reading too when it is no stream
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }  ///< as it was named

  /// @error as errno_error
  [[nodiscard]] Result<void> write(std::string_view bytes);

  /// Closes the file and, when it is no stream, puts it in the target's place, durably. Once.
  /// @error as errno_error: the disk is full
  [[nodiscard]] Result<void> publish();

 private:
  OutputFile(std::filesystem::path path, std::filesystem::path hidden, Descriptor file);
  void discard();

  std::filesystem::path path_, target_;
  std::filesystem::path hidden_;  ///< empty: a stream, or published
  Descriptor file_;
};

/// What /dev/stdout and its other names lead to from here on, for a program whose libraries must not print there.
void set_standard_output(int descriptor);

/// Gives a finished file another name, as OutputFile::publish() does: into what is no plain file it is copied, and
/// across file systems too. `from` is gone afterwards.
/// @error as errno_error
[[nodiscard]] Result<void> move_into_place(const std::filesystem::path& from, const std::filesystem::path& to);

/// Removes what this process has under way: hidden files of OutputFile and folders of TemporaryFolder. For an end by
/// force, after which nothing else is done. @thread any
void remove_unfinished();

}  // namespace slipway::base
