#include "hub/server/sign_in_limit.hpp"

#include <algorithm>
#include <array>

#include <arpa/inet.h>

namespace slipway::hub::server {
namespace {

/// What addresses of one owner have in common; an IPv4 address stands for itself, also in its IPv6 clothes.
std::string owner_of(std::string_view address) {
  std::array<unsigned char, 16> bytes{};
  const std::string text(address.substr(0, address.find('%')));
  if (::inet_pton(AF_INET6, text.c_str(), bytes.data()) != 1) return text.substr(0, 64);
  constexpr std::array<unsigned char, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (std::equal(kMapped.begin(), kMapped.end(), bytes.begin())) {
    std::array<char, INET_ADDRSTRLEN> plain{};
    ::inet_ntop(AF_INET, bytes.data() + kMapped.size(), plain.data(), plain.size());
    return plain.data();
  }
  return "6:" + std::string(bytes.begin(), bytes.begin() + 8);
}

}  // namespace

std::optional<std::chrono::seconds> SignInLimit::charge(Debt& debt, Allowance allowance, Clock::time_point now) {
  const auto most = allowance.burst * allowance.refill;
  const auto after = std::max(debt, now) + allowance.refill;
  if (after - now <= most) {
    debt = after;
    return std::nullopt;
  }
  // Not charged any further: whoever keeps on is let in again as soon as one who waited.
  const auto wait = std::chrono::ceil<std::chrono::seconds>(after - now - most);
  return std::max(wait, std::chrono::seconds(1));
}

void SignInLimit::forget_the_settled(Clock::time_point now) {
  std::erase_if(addresses_, [&](const auto& entry) { return entry.second <= now; });
}

std::optional<std::chrono::seconds> SignInLimit::note_failure(std::string_view address, Clock::time_point now) {
  const std::string owner = owner_of(address);
  const std::scoped_lock lock(mutex_);
  std::optional<std::chrono::seconds> wait;
  if (addresses_.size() >= kMostAddresses) forget_the_settled(now);
  const bool is_known = addresses_.contains(owner);
  if (is_known || addresses_.size() < kMostAddresses) wait = charge(addresses_[owner], kOfAnAddress, now);
  // One address that tries on and on must not use up what the others have.
  if (!wait) wait = charge(all_, kOfAll, now);
  return wait;
}

std::size_t SignInLimit::address_count() const {
  const std::scoped_lock lock(mutex_);
  return addresses_.size();
}

}  // namespace slipway::hub::server
