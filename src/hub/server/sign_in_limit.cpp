#include "hub/server/sign_in_limit.hpp"

#include <algorithm>

#include "hub/server/client_address.hpp"

namespace slipway::hub::server {

std::optional<std::chrono::seconds> SignInLimit::charge(Debt& debt, Allowance allowance, base::Instant now) {
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

void SignInLimit::forget_the_settled(base::Instant now) {
  std::erase_if(addresses_, [&](const auto& entry) { return entry.second <= now; });
}

std::optional<std::chrono::seconds> SignInLimit::note_failure(std::string_view address, base::Instant now) {
  const std::string owner = owner_of_address(address);
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
