#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace slipway::base {

/// SHA-256 over a stream of bytes.
/// @thread one object belongs to one thread
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void update(std::span<const std::byte> bytes);
  void update(std::string_view bytes) { update(std::as_bytes(std::span(bytes))); }

  /// A second hash that has seen the same bytes.
  [[nodiscard]] Sha256 clone() const;

  /// The digest as 64 lower-case hexadecimal digits. Call once, last.
  [[nodiscard]] std::string hex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The digest of bytes already in memory.
[[nodiscard]] std::string sha256_hex(std::string_view bytes);

/// The digest of a file, read in 1 MiB pieces.
/// @error kNotFound, kInternal: the file cannot be opened or read
[[nodiscard]] Result<std::string> sha256_hex_of_file(const std::filesystem::path& path);

/// Compares two strings in a time that depends on their lengths only.
[[nodiscard]] bool equal_in_constant_time(std::string_view a, std::string_view b);

}  // namespace slipway::base
