#pragma once

#include <chrono>
#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.hpp"

namespace slipway::hub::server {

/// Counts tokens that were not valid, for each address and for all together, and says when there have been too many.
///
/// A valid token is never refused, whatever else came from its address: programs of one machine share the loopback
/// address, and everyone behind a reverse proxy shares the proxy's. So the token is looked at first, and only a wrong
/// one is counted and may be told to wait. This does not weaken the tokens, whose 32 random characters nobody guesses
/// at any rate; what it bounds is the trouble of a broken script or a scanner: after the first few it is told 429 and
/// how long to wait, which the official client obeys, and its connection is closed.
///
/// Each allowance is a bucket: it holds `burst` failures and gets one back every `refill`. IPv6 addresses count by
/// their first 64 bits, because whoever has one has all of those. What is kept is bounded: addresses beyond
/// kMostAddresses count only towards the whole.
/// @thread safe from any thread
class SignInLimit {
 public:
  struct Allowance {
    int burst;
    std::chrono::milliseconds refill;
  };
  static constexpr Allowance kOfAnAddress{.burst = 20, .refill = std::chrono::milliseconds(3'000)};
  static constexpr Allowance kOfAll{.burst = 200, .refill = std::chrono::milliseconds(300)};
  static constexpr std::size_t kMostAddresses = 4096;

  /// @param address  as text, without a port
  /// @return nothing while within the allowance; else after how long the address may try again, at least a second
  [[nodiscard]] std::optional<std::chrono::seconds> note_failure(std::string_view address, base::Instant now);

  [[nodiscard]] std::size_t address_count() const;

 private:
  /// The moment up to which failures have used the allowance; a bucket that was never touched lies in the past.
  using Debt = base::Instant;
  static std::optional<std::chrono::seconds> charge(Debt& debt, Allowance allowance, base::Instant now);
  void forget_the_settled(base::Instant now);

  mutable std::mutex mutex_;
  Debt all_{};
  std::unordered_map<std::string, Debt> addresses_;
};

}  // namespace slipway::hub::server
