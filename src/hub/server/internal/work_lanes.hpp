#pragma once

#include "hub/protocol/routes.hpp"
#include "hub/server/internal/work_lane.hpp"

namespace slipway::hub::server::internal {

/// What blocks, apart by how long it may take (docs/adr/0014). A lane's work waits for its own kind only: an agent's
/// renewal is never behind bytes, and the pieces of one upload are never behind the joining of another.
struct WorkLanes {
  WorkLane agents{"agents", 1, 256};      ///< leases, renewals, lines of logs: rows
  WorkLane requests{"requests", 2, 256};  ///< everybody else's rows, and who someone is
  WorkLane transfers{"transfers", 3, 256};
  WorkLane joins{"joins", 2, 64};      ///< finished uploads, which may have to be copied or hashed as a whole
  WorkLane results{"results", 2, 64};  ///< the same, of what jobs have made: it does not wait for users' uploads
  WorkLane upkeep{"upkeep", 1, 4};

  void stop() {
    for (WorkLane* lane : {&agents, &requests, &transfers, &joins, &results, &upkeep}) lane->stop();
  }

  /// Where a request is let in, and its streamed body goes.
  [[nodiscard]] WorkLane& at_the_door(const protocol::RouteMatch& match);
  /// Where it is answered.
  [[nodiscard]] WorkLane& of_the_answer(const protocol::RouteMatch& match);
};

}  // namespace slipway::hub::server::internal
