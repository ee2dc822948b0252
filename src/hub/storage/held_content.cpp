#include "hub/storage/held_content.hpp"

namespace slipway::hub::storage {

HeldContent::Hold::~Hold() {
  const std::lock_guard lock(all_.mutex_);
  for (const std::string& sha256 : own_) {
    const auto held = all_.holders_.find(sha256);
    if (--held->second == 0 && all_.collections_ == 0) all_.holders_.erase(held);
  }
}

void HeldContent::Hold::add(const std::string& sha256) {
  const std::lock_guard lock(all_.mutex_);
  own_.push_back(sha256);
  ++all_.holders_[sha256];
}

HeldContent::Collection::Collection(HeldContent& all) : all_(all) {
  const std::lock_guard lock(all_.mutex_);
  ++all_.collections_;
}

HeldContent::Collection::~Collection() {
  const std::lock_guard lock(all_.mutex_);
  if (--all_.collections_ > 0) return;
  std::erase_if(all_.holders_, [](const auto& held) { return held.second == 0; });
}

bool HeldContent::contains(const std::string& sha256) const {
  const std::lock_guard lock(mutex_);
  return holders_.contains(sha256);
}

}  // namespace slipway::hub::storage
