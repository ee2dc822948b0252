#pragma once

#include <span>
#include <string_view>
#include <utility>

#include <unistd.h>

#include "base/error.hpp"

namespace slipway::base {

/// Owns a descriptor of the system, which is closed with the object.
class Descriptor {
 public:
  explicit Descriptor(int value = -1) : value_(value) {}
  ~Descriptor() { reset(); }
  Descriptor(Descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }

  [[nodiscard]] int get() const { return value_; }
  [[nodiscard]] bool is_open() const { return value_ >= 0; }
  /// Gives it to another owner, such as a stream of the C library.
  [[nodiscard]] int release() { return std::exchange(value_, -1); }
  void reset() {
    if (value_ >= 0) ::close(std::exchange(value_, -1));
  }
  /// Closes it and returns what close(2) does: of a file that was written, whether the bytes could be kept.
  [[nodiscard]] int close() { return ::close(std::exchange(value_, -1)); }

 private:
  int value_;
};

/// The two ends of a pipe; none outlives an exec.
struct Pipe {
  Descriptor read, write;
};
/// @error as errno_error
[[nodiscard]] Result<Pipe> make_pipe();

/// Writes all of it, however often the system has to be asked.
/// @param what  for the message: "write", or what is written
/// @error as errno_error
[[nodiscard]] Result<void> write_all(int descriptor, std::string_view bytes, std::string_view what = "write");

}  // namespace slipway::base
