#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"

namespace slipway::hub::server {

/// What of the server does not work as it should, for /healthz.
///
/// A part is in trouble from its first failure until it has gone kCalm without another: who looks now and then also
/// hears of what fails and works in turn.
/// @thread safe from any thread
class Health {
 public:
  static constexpr std::chrono::seconds kCalm{60};
  struct Trouble {
    std::string part;    ///< "accepting connections", …
    std::string reason;  ///< of the last failure
    base::Time since, last;
    std::uint64_t failures = 0;
  };

  void note_failure(std::string_view part, std::string_view reason, base::Time now);
  [[nodiscard]] std::vector<Trouble> troubles(base::Time now) const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, Trouble, std::less<>> troubles_;
};

}  // namespace slipway::hub::server
