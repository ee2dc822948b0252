#pragma once

#include <utility>
#include <vector>

#include "hub/domain/accounts.hpp"
#include "hub/domain/agents.hpp"
#include "hub/domain/contents.hpp"
#include "hub/domain/foundation.hpp"
#include "hub/domain/job_endings.hpp"
#include "hub/domain/jobs.hpp"

namespace slipway::hub::domain {

/// The hub's rules, by subject, over one foundation. Holds no bytes and runs no model.
/// @thread safe from any thread
class Hub {
 public:
  Hub(HubSettings settings, const Ports& ports, std::vector<Device> catalogue)
      : foundation_{.settings = std::move(settings), .ports = ports, .changes = {}},
        agents(foundation_, endings_, std::move(catalogue)) {}
  Hub(const Hub&) = delete;
  Hub& operator=(const Hub&) = delete;

  void set_change_listener(std::function<void()> listener) { foundation_.changes.set_listener(std::move(listener)); }

  /// Reclaims lost leases, fails jobs without hope, forgets expired uploads and sessions. Called every second by the
  /// server.
  /// @error what the stores say; what could be done without them has been done
  base::Result<void> sweep() {
    const auto leases = endings_.sweep();
    const auto uploads = contents.sweep();
    accounts.sweep();
    return leases ? uploads : leases;
  }

  [[nodiscard]] const HubSettings& settings() const { return foundation_.settings; }
  [[nodiscard]] base::Time now() const { return foundation_.ports.clock.now(); }
  [[nodiscard]] const base::Clock& clock() const { return foundation_.ports.clock; }
  [[nodiscard]] base::IdSource& ids() const { return foundation_.ports.ids; }

 private:
  Foundation foundation_;
  JobEndings endings_{foundation_};

 public:
  Accounts accounts{foundation_};
  Contents contents{foundation_};
  Agents agents;
  Jobs jobs{foundation_, contents, agents, endings_};
};

}  // namespace slipway::hub::domain
