#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace slipway::base {

/// Where ids and secrets come from, injected so that tests are repeatable.
/// @thread implementations are safe to call from any thread
class IdSource {
 public:
  virtual ~IdSource() = default;

  /// `length` characters of [a-z0-9] after the prefix: "m" -> "mq1v8x2k0". 8 characters carry 41 bits.
  [[nodiscard]] virtual std::string id(std::string_view prefix, std::size_t length = 8) = 0;

  /// A secret of 160 random bits or more as [a-zA-Z0-9] characters.
  [[nodiscard]] virtual std::string secret() = 0;
};

/// Ids and secrets from the operating system's random source.
class RandomIdSource final : public IdSource {
 public:
  [[nodiscard]] std::string id(std::string_view prefix, std::size_t length) override;
  [[nodiscard]] std::string secret() override;
};

}  // namespace slipway::base
