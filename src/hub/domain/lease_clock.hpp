#pragma once

#include <chrono>

#include "base/clock.hpp"

namespace slipway::hub::domain {

/// The time by which a store keeps leases when one process uses it: it starts at what the clock on the wall says and
/// then advances steadily, so that setting that clock ends no lease and prolongs none.
/// @thread safe from any thread
class LeaseClock {
 public:
  explicit LeaseClock(const base::Clock& clock) : clock_(clock), wall_(clock.now()), start_(clock.instant()) {}
  [[nodiscard]] base::Time now() const {
    return wall_ + std::chrono::duration_cast<std::chrono::microseconds>(clock_.instant() - start_);
  }

 private:
  const base::Clock& clock_;
  base::Time wall_;
  base::Instant start_;
};

}  // namespace slipway::hub::domain
