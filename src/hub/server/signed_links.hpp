#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/ids.hpp"
#include "hub/domain/lease_clock.hpp"
#include "hub/domain/types.hpp"

namespace slipway::hub::server {

/// Links that carry their own right of access: which bytes, under which name, until when, and an HMAC-SHA256 over all
/// of it. Nothing has to be remembered for them, also across a restart.
/// @thread safe from any thread
class SignedLinks {
 public:
  struct Target {
    domain::Blob blob;
    std::string filename;
  };

  /// @param key  secret; at least 32 characters
  SignedLinks(std::string key, const base::Clock& clock, std::chrono::seconds lifetime = std::chrono::hours(1));

  /// One path segment of letters, digits, "-", "_" and ".".
  [[nodiscard]] std::string sign(const Target& target) const { return sign(target, lifetime_); }
  /// The same for whoever takes longer, as an agent on a slow line does.
  [[nodiscard]] std::string sign(const Target& target, std::chrono::seconds lifetime) const;

  /// @error kNotFound: not made with this key, changed, or expired (all say the same, so that nothing can be learnt)
  [[nodiscard]] base::Result<Target> open(std::string_view segment) const;

 private:
  [[nodiscard]] std::string mac(std::string_view payload) const;

  std::string key_;
  domain::LeaseClock clock_;  ///< setting the clock on the wall closes no link
  std::chrono::seconds lifetime_;
};

/// Reads the key kept in a file, or makes one there (mode 0600).
/// @error kDataLoss: the file holds something else; kInternal: cannot be read or written
[[nodiscard]] base::Result<std::string> load_or_make_key(const std::filesystem::path& file, base::IdSource& ids);

}  // namespace slipway::hub::server
