#include "hub/server/internal/connection_slots.hpp"

#include <algorithm>

#include "hub/server/client_address.hpp"

namespace slipway::hub::server::internal {

ConnectionSlots::Holder* ConnectionSlots::longest_waiting(const std::string* owner) {
  Holder* longest = nullptr;
  for (Holder& holder : holders_) {
    const bool is_waiting_stranger = !holder.is_known && !holder.is_leaving && holder.waits_since != 0;
    if (!is_waiting_stranger || (owner != nullptr && holder.owner != *owner)) continue;
    if (longest == nullptr || holder.waits_since < longest->waits_since) longest = &holder;
  }
  return longest;
}

bool ConnectionSlots::make_room(const std::string& owner, std::size_t newcomers) {
  std::size_t all = newcomers, strangers = 1, of_the_owner = 1;
  for (const Holder& holder : holders_) {
    if (holder.is_leaving) continue;
    ++all;
    if (holder.is_known || holder.waits_since == 0) continue;
    ++strangers;
    if (holder.owner == owner) ++of_the_owner;
  }
  const bool is_owner_full = of_the_owner > limits_.waiting_strangers_of_an_address;
  if (!is_owner_full && strangers <= limits_.waiting_strangers && all <= limits_.all) return true;
  Holder* const leaving = longest_waiting(is_owner_full ? &owner : nullptr);
  if (leaving == nullptr) return false;
  leaving->is_leaving = true;
  leaving->close();
  return true;
}

std::unique_ptr<ConnectionSlots::Slot> ConnectionSlots::arrive(std::string_view address, std::function<void()> close) {
  const std::lock_guard lock(mutex_);
  std::string owner = owner_of_address(address);
  if (!make_room(owner, 1)) return nullptr;
  holders_.push_front({.owner = std::move(owner), .close = std::move(close), .waits_since = ++count_});
  return std::make_unique<Slot>(*this, holders_.begin());
}

ConnectionSlots::Slot::~Slot() {
  const std::lock_guard lock(slots_.mutex_);
  slots_.holders_.erase(holder_);
}

void ConnectionSlots::Slot::waits() {
  const std::lock_guard lock(slots_.mutex_);
  if (holder_->is_known || holder_->waits_since != 0) return;
  if (!holder_->is_leaving) slots_.make_room(holder_->owner, 0);
  holder_->waits_since = ++slots_.count_;
}

void ConnectionSlots::Slot::is_served() {
  const std::lock_guard lock(slots_.mutex_);
  holder_->waits_since = 0;
}

void ConnectionSlots::Slot::becomes_known() {
  const std::lock_guard lock(slots_.mutex_);
  holder_->is_known = true;
}

bool ConnectionSlots::Slot::is_known() const {
  const std::lock_guard lock(slots_.mutex_);
  return holder_->is_known;
}

}  // namespace slipway::hub::server::internal
